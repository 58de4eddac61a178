// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Turns any string of bytes into a program of operations on a mailbox and, step by step, on a naive
// model beside it. The handlers consume the same string: they post, drain and close, discard, and
// fail. Any disagreement is reported on stderr and ends the program.

#ifndef REGISTRY_IO_TEST_FUZZ_MAILBOX_MACHINE_HPP
#define REGISTRY_IO_TEST_FUZZ_MAILBOX_MACHINE_HPP

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>

#include <registry_io/queued/mailbox.hpp>

#include "fuzz/program.hpp"
#include "queued/model.hpp"
#include "queued/support.hpp"

namespace fuzz {

template <class Mailbox>
class mailbox_machine
{
public:
    mailbox_machine(char const* name, unsigned char const* data, std::size_t size)
        : name_(name), program_(data, size)
    {
    }

    void run()
    {
        while (program_.more()) {
            step();
            agree();
        }
        // The remaining events come out, whether the mailbox is closed or not.
        mailbox_.close();
        expected_.closed = true;
        drain(Mailbox::capacity());
        agree();
        demand(mailbox_.empty(), "something is left");
    }
    unsigned long long operations() const noexcept { return operations_; }

private:
    using event = typename Mailbox::event_type;
    using naive = test::model<typename test::full_of<Mailbox>::type>;
    struct failed
    {
    };

    void demand(bool holds, char const* what) const
    {
        if (holds)
            return;
        std::fprintf(stderr, "%s: %s\n", name_, what);
        std::abort();
    }

    void step()
    {
        ++operations_;
        unsigned const what = program_.next();
        switch (what % 16) {
        case 0:
            if (program_.next() % 8 == 0) {
                mailbox_.close();
                expected_.closed = true;
            }
            break;
        case 1:
            discard();
            break;
        case 2:
        case 3:
        case 4:
        case 5:
            drain(program_.next() % 8);
            break;
        default:
            post(what / 16 % 5, what >= 128);
            break;
        }
    }

    void post(unsigned thread, bool urgent)
    {
        int const by = static_cast<int>(thread);
        int const at = ++number_;
        event e = event::make(by, at);
        ++attempts_;
        registry_io::queued::post_result r{};
        int lane = 0;
        if constexpr (test::has_urgent<Mailbox>) {
            lane = urgent ? 1 : 0;
            r = urgent ? mailbox_.post_urgent(std::move(e)) : mailbox_.post(std::move(e));
        } else {
            r = mailbox_.post(std::move(e));
        }
        demand(r == expected_.post(lane, {by, at}), "post() does not agree");
        if (r == registry_io::queued::post_result::full ||
            r == registry_io::queued::post_result::closed)
            demand(e.is_there() && e.by() == by && e.at() == at, "a refused event is gone");
    }

    void drain(std::size_t max)
    {
        bool const refused = draining_ != 0 && !several;
        std::size_t calls = 0;
        test::sink into{[&](event const& e) { handle(e, calls); }};
        ++draining_;
        try {
            auto const result = mailbox_.drain(into, max);
            demand(!refused, "a drain inside a drain is not refused");
            demand(result.count == calls, "drain() counts wrong");
            demand(result.end_of_batch == (expected_.waiting() == 0), "end_of_batch is wrong");
            demand(calls == max || expected_.waiting() == 0, "drain() has left something");
        } catch (failed) {
        } catch (std::system_error const&) {
            demand(refused && calls == 0, "drain() is refused");
        }
        --draining_;
    }

    void handle(event const& e, std::size_t& calls)
    {
        ++calls;
        ++drained_;
        demand(expected_.waiting() != 0, "an event comes from nowhere");
        auto const next = expected_.take();
        demand(next.by == e.by() && next.at == e.at(), "the wrong event");
        unsigned const more = program_.next();
        for (unsigned n = more % 4; n != 0 && draining_ < 4; --n)
            step();
        demand(next.by == e.by() && next.at == e.at(), "an event changes while it is handled");
        if (more >= 240)
            throw failed();
    }

    void discard()
    {
        try {
            std::size_t const n = mailbox_.discard();
            demand(draining_ == 0 || several, "discard() inside a drain is not refused");
            demand(n == expected_.waiting(), "discard() does not agree");
            expected_.dropped += n;
            for (auto& lane : expected_.lanes)
                lane.clear();
        } catch (std::system_error const&) {
            demand(draining_ != 0 && !several, "discard() is refused");
        }
    }

    void agree() const
    {
        auto const s = mailbox_.stats();
        demand(s.posted == expected_.posted, "posted");
        demand(s.dropped == expected_.dropped, "dropped");
        demand(s.coalesced == expected_.coalesced, "coalesced");
        demand(s.refused == expected_.refused, "refused");
        demand(s.waiting == expected_.waiting(), "waiting");
        demand(s.high_water == expected_.high, "high_water");
        demand(attempts_ == drained_ + s.waiting + s.dropped + s.coalesced + s.refused,
               "an event is lost in silence");
        demand(mailbox_.closed() == expected_.closed, "closed() does not agree");
        demand(mailbox_.empty() == (expected_.waiting() == 0), "empty() does not agree");
    }

    static constexpr bool several = test::has_many<Mailbox>;

    char const* name_;
    program program_;
    Mailbox mailbox_;
    naive expected_;
    int number_ = 0;
    int draining_ = 0;
    std::uint64_t attempts_ = 0;
    std::uint64_t drained_ = 0;
    unsigned long long operations_ = 0;
};

}  // namespace fuzz

#endif
