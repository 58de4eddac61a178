// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// Like machine.hpp, for wrapped handlers: random compositions of the wrappers of `handlers/` in
// registries of several snapshot policies and in a `latest`, with owners, guards and connections.
// The model of a handler is the list of its wrappers.

#ifndef REGISTRY_IO_TEST_FUZZ_WRAPPERS_MACHINE_HPP
#define REGISTRY_IO_TEST_FUZZ_WRAPPERS_MACHINE_HPP

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <system_error>
#include <utility>
#include <vector>

#include <registry_io.hpp>
#include <registry_io/observe/named.hpp>

#include "fuzz/program.hpp"

namespace fuzz {

/// A handler of any type. Unlike a `std::function`, it passes on the calls that registries and
/// wrappers make to `on_registered` and `on_one_shot`.
class any_handler
{
    struct base
    {
        virtual ~base() = default;
        virtual void call(int const& event) const = 0;
        virtual void tell(registry_io::registration const& r) noexcept = 0;
        virtual void tell_one_shot() noexcept = 0;
    };
    template <class F>
    struct holding final : base
    {
        explicit holding(F&& g) : f(std::move(g)) {}
        void call(int const& event) const override { f(event); }
        void tell(registry_io::registration const& r) noexcept override
        {
            registry_io::detail::tell(f, r);
        }
        void tell_one_shot() noexcept override { registry_io::detail::tell_one_shot(f); }
        F f;
    };

public:
    template <class F>
        requires(!std::is_same_v<std::remove_cvref_t<F>, any_handler>)
    explicit any_handler(F f) : held_(std::make_unique<holding<F>>(std::move(f)))
    {
    }
    void operator()(int const& event) const { held_->call(event); }
    void on_registered(registry_io::registration const& r) noexcept { held_->tell(r); }
    void on_one_shot() noexcept { held_->tell_one_shot(); }

private:
    std::unique_ptr<base> held_;
};

class wrappers_machine
{
    using tag = std::size_t;

    static constexpr std::size_t deepest = 6;
    static constexpr std::size_t most_handlers = 60;
    static constexpr std::size_t most_posted = 40;
    static constexpr std::size_t stopped = ~std::size_t(0);
    static constexpr std::uint64_t untold = ~std::uint64_t(0);
    static constexpr std::size_t in_latest =
        3;  ///< the number of the `latest` among the registries

    enum class kind : unsigned char { once, tracked, blockable, filtered, with_id, on, name };

    struct layer
    {
        kind is;
        std::size_t of = 0;  ///< which object, count, remainder or executor
        bool fired = false;
    };

    struct handler
    {
        std::vector<layer> layers;  ///< the outermost first
        std::size_t home = 0;
        int key = 0;
        bool acts = false;
        bool throws = false;
        std::uint64_t told = 0;  ///< in a `latest`: the number of the last event at registration
        registry_io::handler_id id;
        std::weak_ptr<int> token;
    };

    /// The next handlers that are to be called, and by what.
    struct walk
    {
        struct item
        {
            tag who;
            std::size_t first;  ///< the first layer that is entered
        };
        std::vector<item> items;
        std::size_t at = 0;
        int event = 0;
        std::uint64_t number = 0;
        std::function<void()> refill;
        std::size_t thrown = 0;
        std::size_t reported = 0;
    };

    struct posted
    {
        tag who;
        std::size_t at;
        int event;
        bool kept;
        std::function<void()> task;
    };

    struct object
    {
        std::shared_ptr<int> owned;
        std::size_t held = 0;  ///< by calls that are running
        bool alive() const { return owned != nullptr || held != 0; }
    };

    struct count
    {
        registry_io::block_count blocks;
        std::vector<registry_io::block_guard> guards;
    };

    struct owning
    {
        registry_io::owner real;
        std::vector<tag> all;
        std::set<std::size_t> homes;
    };

    struct connected
    {
        registry_io::connection real;
        tag who;
        std::size_t blocks;
    };

    using panic = registry_io::observe::named<registry_io::panic::catch_log>;

public:
    wrappers_machine(unsigned char const* data, std::size_t size) : program_(data, size) {}

    void run()
    {
        handlers_.emplace_back();  // tag 0 is no handler
        counts_.resize(2);
        objects_.resize(3);
        for (object& o : objects_)
            o.owned = std::make_shared<int>(0);
        watch(sync_);
        watch(rcu_);
        watch(local_);
        while (program_.more())
            step();
        bool const owners_first = next() % 2 == 0;
        program_.skip_rest();
        if (owners_first) {
            owners_ = {};
            guards_.clear();
        }
        sync_.reset();
        rcu_.reset();
        local_.reset();
        latest_.reset();
        for (connected const& c : connections_)
            demand(!c.real.contains() && !c.real.unregister(), "a handler outlives its registry");
        // The calls that one-shots have posted are still there, and run.
        while (!posted_.empty())
            run_posted();
        demand(living() == 0, "captures outlive their registry");
    }

    unsigned long long operations() const noexcept { return operations_; }

private:
    unsigned next() noexcept { return program_.next(); }
    std::size_t below(std::size_t n) { return next() % n; }

    static void demand(bool holds, char const* what)
    {
        if (holds)
            return;
        std::fprintf(stderr, "wrappers: %s\n", what);
        std::abort();
    }

    template <class Registry>
    void watch(std::optional<Registry>& r)
    {
        r.emplace();
        r->on_panic([this](registry_io::panic_info const& info) { reported(info); });
    }

    template <class F>
    auto visit(std::size_t home, F f)
    {
        switch (home) {
        case 0:
            return f(*sync_);
        case 1:
            return f(*rcu_);
        case 2:
            return f(*local_);
        default:
            return f(*latest_);
        }
    }
    bool open(std::size_t home) const
    {
        return home == 0 ? sync_.has_value()
            : home == 1  ? rcu_.has_value()
            : home == 2  ? local_.has_value()
                         : latest_.has_value();
    }

    // ----- the model

    bool registered(tag who) const
    {
        auto const& rows = rows_[handlers_[who].home];
        return std::find(rows.begin(), rows.end(), who) != rows.end();
    }
    void put(tag who)
    {
        auto& rows = rows_[handlers_[who].home];
        auto const before = [this](tag a, tag b) {
            return handlers_[a].key != handlers_[b].key ? handlers_[a].key > handlers_[b].key
                                                        : a < b;
        };
        rows.insert(std::upper_bound(rows.begin(), rows.end(), who, before), who);
    }
    bool take(tag who) { return std::erase(rows_[handlers_[who].home], who) != 0; }

    std::size_t living() const
    {
        return static_cast<std::size_t>(
            std::count_if(handlers_.begin(), handlers_.end(),
                          [](handler const& h) { return !h.token.expired(); }));
    }

    /// Enters the layers of a handler. Returns the number of the layer that the call gets to: an
    /// `on`, or the handler itself; or `stopped`.
    std::size_t enter(walk const& w, walk::item const& i, std::vector<std::size_t>& held)
    {
        handler& h = handlers_[i.who];
        if (i.first == 0 && h.home == in_latest && w.number != 0 && w.number <= h.told)
            return stopped;
        for (std::size_t n = i.first; n != h.layers.size(); ++n) {
            layer& l = h.layers[n];
            switch (l.is) {
            case kind::once:
                take(i.who);
                if (std::exchange(l.fired, true))
                    return stopped;
                break;
            case kind::tracked:
                if (!objects_[l.of].alive()) {
                    take(i.who);
                    return stopped;
                }
                ++objects_[l.of].held;
                held.push_back(l.of);
                break;
            case kind::blockable:
                if (!counts_[l.of].guards.empty())
                    return stopped;
                break;
            case kind::filtered:
                if (!passes(l.of, w.event))
                    return stopped;
                break;
            case kind::on:
                return n;
            default:
                break;
            }
        }
        return h.layers.size();
    }
    void leave(std::vector<std::size_t> const& held)
    {
        for (std::size_t const o : held)
            --objects_[o].held;
    }
    static bool passes(std::size_t remainder, int event)
    {
        return static_cast<std::size_t>(event) % 3 != remainder;
    }

    /// The next item of a walk; null at the end.
    static walk::item const* next_of(walk& w)
    {
        if (w.at == w.items.size() && w.refill)
            w.refill();
        return w.at == w.items.size() ? nullptr : &w.items[w.at++];
    }

    /// A handler, or its executor, is called: all before it must have been stopped by a wrapper.
    void reached(tag who, std::size_t at, int const* event, std::vector<std::size_t>& held)
    {
        demand(!walks_.empty(), "a handler is called outside a notify");
        walk& w = *walks_.back();
        for (;;) {
            walk::item const* const i = next_of(w);
            demand(i != nullptr, "a handler is called that should not be");
            std::size_t const to = enter(w, *i, held);
            if (to == stopped) {
                leave(held);
                held.clear();
                continue;
            }
            demand(i->who == who && to == at, "another handler should be called");
            demand(event == nullptr || w.event == *event, "a handler is called with another event");
            return;
        }
    }
    void finish(walk& w)
    {
        std::vector<std::size_t> held;
        while (walk::item const* const i = next_of(w)) {
            demand(enter(w, *i, held) == stopped, "a handler is not called");
            leave(held);
            held.clear();
        }
    }

    void step()
    {
        bool const outermost = depth_++ == 0;
        ++operations_;
        operate();
        --depth_;
        if (outermost)
            agree();
    }

    void agree()
    {
        std::size_t expected = 0;
        for (std::size_t home = 0; home != rows_.size(); ++home) {
            expected += rows_[home].size();
            visit(home, [&](auto const& r) {
                demand(r.size() == rows_[home].size(), "size() does not agree");
                std::size_t i = 0;
                r.for_each_handler([&](registry_io::handler_id id) {
                    demand(i < rows_[home].size() && handlers_[rows_[home][i]].id == id,
                           "for_each_handler does not agree");
                    ++i;
                });
            });
        }
        std::set<tag> kept;
        for (posted const& p : posted_)
            if (p.kept && !registered(p.who))
                kept.insert(p.who);
        demand(living() == expected + kept.size(), "the wrong number of captures is alive");
        for (owning const& o : owners_)
            demand(o.real.size() == count_registered(o.all), "the owner's size() does not agree");
        for (connected const& c : connections_) {
            demand(c.real.contains() == registered(c.who), "contains() does not agree");
            demand(c.real.blocked() == !counts_[c.blocks].guards.empty(),
                   "blocked() does not agree");
        }
    }
    std::size_t count_registered(std::vector<tag> const& all) const
    {
        return static_cast<std::size_t>(
            std::count_if(all.begin(), all.end(), [this](tag t) { return registered(t); }));
    }

    // ----- handlers

    struct failure : std::runtime_error
    {
        using std::runtime_error::runtime_error;
    };

    void called(tag who, int event)
    {
        std::vector<std::size_t> held;
        reached(who, handlers_[who].layers.size(), &event, held);
        walk& w = *walks_.back();
        if (handlers_[who].acts && depth_ < deepest)
            for (std::size_t n = below(3); n != 0 && program_.more(); --n)
                step();
        leave(held);
        if (handlers_[who].throws) {
            ++w.thrown;
            throw failure("on purpose");
        }
    }
    void reported(registry_io::panic_info const& info)
    {
        walk& w = *walks_.back();
        ++w.reported;
        demand(info.message() == "on purpose", "another failure is reported");
        demand(handlers_[w.items[w.at - 1].who].id == info.handler_id(),
               "a failure is reported for another handler");
    }

    template <class Task>
    void post(tag who, std::size_t at, Task const& task)
    {
        std::vector<std::size_t> held;
        reached(who, at, nullptr, held);
        auto const& layers = handlers_[who].layers;
        bool const kept =
            std::any_of(layers.begin(), layers.begin() + static_cast<std::ptrdiff_t>(at),
                        [](layer const& l) { return l.is == kind::once; });
        if (posted_.size() < most_posted)
            posted_.push_back({who, at, walks_.back()->event, kept, task});
        if (layers[at].of == 0)  // an executor that runs everything at once
            while (depth_ < deepest && !posted_.empty()) {
                ++depth_;
                run_posted();
                --depth_;
            }
        leave(held);
    }
    void run_posted()
    {
        posted const p = std::move(posted_.front());
        posted_.pop_front();
        walk w;
        w.event = p.event;
        if (!handlers_[p.who].token.expired())
            w.items.push_back({p.who, p.at + 1});
        walks_.push_back(&w);
        p.task();
        finish(w);
        walks_.pop_back();
    }

    /// The callable that `with_id` wraps.
    struct with_id_layer
    {
        wrappers_machine* self;
        tag who;
        any_handler f;
        void operator()(registry_io::registration const& r, int const& event) const
        {
            registry_io::handler_id const known = self->handlers_[who].id;
            demand(r.id() && (!known || r.id() == known), "a handler is told another id");
            f(event);
        }
        void on_registered(registry_io::registration const& r) noexcept { f.on_registered(r); }
        void on_one_shot() noexcept { f.on_one_shot(); }
    };

    any_handler wrap(tag who, std::size_t n, any_handler f)
    {
        layer const& l = handlers_[who].layers[n];
        switch (l.is) {
        case kind::once:
            return any_handler(registry_io::once(std::move(f)));
        case kind::tracked:
            return any_handler(registry_io::tracked(objects_[l.of].owned, std::move(f)));
        case kind::blockable:
            return any_handler(registry_io::blockable(counts_[l.of].blocks, std::move(f)));
        case kind::filtered:
            return any_handler(registry_io::filtered(
                [of = l.of](int const& event) { return passes(of, event); }, std::move(f)));
        case kind::with_id:
            return any_handler(registry_io::with_id(with_id_layer{this, who, std::move(f)}));
        case kind::on:
            return any_handler(registry_io::on(
                [this, who, n](auto const& task) { post(who, n, task); }, std::move(f)));
        default:
            return any_handler(registry_io::observe::name("wrapped", std::move(f)));
        }
    }

    /// Makes a handler for a registry, which the next operation adds.
    std::pair<tag, any_handler> make(std::size_t home)
    {
        tag const who = handlers_.size();
        handler& h = handlers_.emplace_back();
        h.home = home;
        unsigned const look = next();
        h.acts = (look & 8) != 0;
        h.throws = home != in_latest && (look & 48) == 48;
        for (std::size_t n = look % 8 % 5; n != 0; --n) {
            layer l;
            unsigned const what = next();
            l.is = static_cast<kind>(what % 7);
            l.of = what / 7 % (l.is == kind::filtered || l.is == kind::tracked ? 3 : 2);
            if (l.is == kind::tracked)
                l.of = living_object(l.of);
            h.throws = h.throws && l.is != kind::on;
            h.layers.push_back(l);
        }
        auto token = std::make_shared<int>(0);
        h.token = token;
        any_handler f([this, who, token](int const& event) { called(who, event); });
        token.reset();
        for (std::size_t n = h.layers.size(); n != 0; --n)
            f = wrap(who, n - 1, std::move(f));
        return {who, std::move(f)};
    }
    /// The object with this number among those in use, or a new one in its place.
    std::size_t living_object(std::size_t i)
    {
        if (objects_[in_use_[i]].owned == nullptr) {
            in_use_[i] = objects_.size();
            objects_.emplace_back().owned = std::make_shared<int>(0);
        }
        return in_use_[i];
    }

    // ----- operations

    void operate()
    {
        switch (next() % 16) {
        case 0:
        case 1:
        case 2:
        case 3:
            add(below(4));
            break;
        case 4:
        case 5:
        case 6:
            notify(below(4));
            break;
        case 7:
            remove(below(handlers_.size()));
            break;
        case 8:
            update(below(3));
            break;
        case 9:
            remove_all();
            break;
        case 10: {
            count& c = counts_[below(2)];  // not that of a connection
            c.guards.emplace_back(c.blocks);
            break;
        }
        case 11: {
            count& c = counts_[below(2)];  // not that of a connection
            if (!c.guards.empty())
                c.guards.pop_back();
            break;
        }
        case 12:
            drop_object();
            break;
        case 13:
            for (std::size_t n = below(4); n != 0 && !posted_.empty() && depth_ < deepest; --n)
                run_posted();
            break;
        case 14:
            use_connection();
            break;
        default:
            drop_guard();
            break;
        }
    }

    std::size_t size() const
    {
        std::size_t n = 0;
        for (auto const& r : rows_)
            n += r.size();
        return n;
    }

    /// Calls `f`, which registers this handler. A `latest` calls it meanwhile.
    template <class F>
    void registering(tag who, F f)
    {
        put(who);
        if (handlers_[who].home != in_latest) {
            f();
            return;
        }
        handlers_[who].told = untold;
        std::uint64_t told = 0;
        bool over = false;
        walk w;
        w.refill = [&] {
            over = over || (told != 0 && !registered(who)) || number_ == told || !last_;
            if (over)
                return;
            told = number_;
            w.event = *last_;
            w.items.push_back({who, 0});
        };
        walks_.push_back(&w);
        f();
        finish(w);
        walks_.pop_back();
        handlers_[who].told = number_;
    }

    void add(std::size_t home)
    {
        if (size() >= most_handlers)
            return;
        unsigned const how = next();
        bool const with_key = how % 2 != 0;
        auto [who, f] = make(home);
        int const key = with_key ? static_cast<int>(how / 2 % 3) - 1 : 0;
        handlers_[who].key = key;
        // A priority, or none.
        auto const with = [&, key = key, &g = f](auto add_it) {
            return with_key ? add_it(key, std::move(g)) : add_it(std::move(g));
        };
        switch (how / 8 % 4) {
        case 0:
            registering(who, [&] {
                handlers_[who].id = visit(home, [&](auto& r) {
                    return with([&](auto&&... a) {
                        return r.register_handler(std::forward<decltype(a)>(a)...);
                    });
                });
            });
            break;
        case 1:
            registering(who, [&] {
                guards_.push_back({visit(home,
                                         [&](auto& r) {
                                             return with([&](auto&&... a) {
                                                 return r.register_guard(
                                                     std::forward<decltype(a)>(a)...);
                                             });
                                         }),
                                   who});
                handlers_[who].id = guards_.back().first.id();
            });
            break;
        case 2: {
            owning& o = owners_[how / 32 % owners_.size()];
            registering(who, [&] {
                handlers_[who].id = visit(home, [&](auto& r) {
                    return with([&](auto&&... a) {
                        return o.real.register_handler(r, std::forward<decltype(a)>(a)...);
                    });
                });
            });
            o.all.push_back(who);
            o.homes.insert(home);
            break;
        }
        default: {
            // It has a count of its own, around all other wrappers. That moves the layers by one.
            std::size_t const blocks = counts_.size();
            counts_.emplace_back();
            handlers_[who].layers.insert(handlers_[who].layers.begin(),
                                         layer{kind::blockable, blocks});
            registry_io::connection c;
            for (layer const& l : handlers_[who].layers)
                if (l.is == kind::on) {  // its executor knows its number
                    handlers_[who].layers.erase(handlers_[who].layers.begin());
                    counts_.pop_back();
                    return;
                }
            registering(who, [&] {
                c = visit(home, [&](auto& r) {
                    return with([&](auto&&... a) {
                        return registry_io::connect(r, std::forward<decltype(a)>(a)...);
                    });
                });
                handlers_[who].id = c.id();
            });
            connections_.push_back({c, who, blocks});
            break;
        }
        }
    }

    void notify(std::size_t home)
    {
        walk w;
        w.event = static_cast<int>(next() % 16);
        bool const with_sink = next() % 2 != 0;
        for (tag const t : rows_[home])
            w.items.push_back({t, 0});
        if (home == in_latest) {
            w.number = ++number_;
            last_ = w.event;
        }
        ++inside_[home];
        walks_.push_back(&w);
        visit(home, [&](auto& r) {
            if constexpr (requires {
                              r.on_panic(std::function<void(registry_io::panic_info const&)>());
                          })
                if (with_sink) {
                    r.notify(w.event, [&](registry_io::panic_info const& i) { reported(i); });
                    return;
                }
            r.notify(w.event);
        });
        finish(w);
        walks_.pop_back();
        --inside_[home];
        demand(w.reported == w.thrown, "failures are not reported");
    }

    void remove(tag who)
    {
        if (who == 0 || !handlers_[who].id)
            return;
        bool const expected = take(who);
        bool const waits = next() % 4 == 0;
        std::size_t const home = handlers_[who].home;
        bool refused = false;
        bool removed = false;
        try {
            removed = visit(home, [&](auto& r) {
                return waits ? r.unregister_and_wait(handlers_[who].id)
                             : r.unregister(handlers_[who].id);
            });
        } catch (std::system_error const&) {
            refused = true;
        }
        demand(refused == (waits && inside_[home] != 0), "waiting is not refused as it must be");
        if (refused && expected)
            put(who);
        demand(removed == (expected && !refused), "unregister() does not agree");
    }

    void update(std::size_t home)
    {
        if (home == in_latest || size() + 4 >= most_handlers)
            return;
        std::vector<tag> added, removed;
        std::vector<any_handler> all;
        for (std::size_t n = below(4); n != 0; --n) {
            auto [who, f] = make(home);
            added.push_back(who);
            all.push_back(std::move(f));
        }
        for (std::size_t n = below(3); n != 0; --n)
            if (tag const who = below(handlers_.size()); who != 0 && handlers_[who].id)
                removed.push_back(who);
        std::size_t expected = 0;
        for (tag const who : removed)
            expected += handlers_[who].home == home && take(who);
        for (tag const who : added)
            put(who);
        registry_io::update_result did;
        auto const change = [&](auto& r) {
            did = r.update([&](auto& tx) {
                for (std::size_t i = 0; i != added.size(); ++i)
                    handlers_[added[i]].id = tx.register_handler(std::move(all[i]));
                for (tag const who : removed)
                    tx.unregister(handlers_[who].id);
            });
        };
        home == 0 ? change(*sync_) : home == 1 ? change(*rcu_) : change(*local_);
        demand(did.registered == added.size() && did.unregistered == expected,
               "update() does not agree");
    }

    void remove_all()
    {
        owning& o = owners_[below(owners_.size())];
        bool const waits = next() % 2 != 0;
        bool const must_refuse = waits &&
            std::any_of(o.homes.begin(), o.homes.end(),
                        [this](std::size_t home) { return inside_[home] != 0; });
        std::size_t const expected = count_registered(o.all);
        std::size_t removed = 0;
        bool refused = false;
        try {
            removed = waits ? o.real.remove_all_and_wait() : o.real.remove_all();
        } catch (std::system_error const&) {
            refused = true;
        }
        demand(refused == must_refuse, "waiting is not refused as it must be");
        if (refused)
            return;
        demand(removed == expected, "remove_all() does not agree");
        for (tag const who : o.all)
            take(who);
        o.all.clear();
        o.homes.clear();
    }

    void drop_object()
    {
        object& o = objects_[in_use_[below(in_use_.size())]];
        if (o.owned == nullptr)
            return;
        std::weak_ptr<int> const seen = o.owned;
        o.owned.reset();
        demand(seen.expired() == (o.held == 0), "an object lives longer or shorter than it must");
    }

    void use_connection()
    {
        if (connections_.empty())
            return;
        connected const c = connections_[below(connections_.size())];
        switch (next() % 3) {
        case 0: {
            bool const expected = take(c.who);
            demand(c.real.unregister() == expected, "unregister() does not agree");
            break;
        }
        case 1:
            counts_[c.blocks].guards.push_back(c.real.block());
            break;
        default:
            counts_[c.blocks].guards.clear();
            break;
        }
    }

    void drop_guard()
    {
        if (guards_.empty())
            return;
        std::size_t const i = below(guards_.size());
        auto g = std::move(guards_[i]);
        guards_.erase(guards_.begin() + static_cast<std::ptrdiff_t>(i));
        if (next() % 4 == 0) {
            g.first.release();
            return;
        }
        bool const expected = take(g.second);
        demand(g.first.reset() == expected, "reset() does not agree");
    }

    program program_;
    std::deque<handler> handlers_;
    std::array<std::vector<tag>, 4> rows_;
    std::array<std::size_t, 4> inside_{};
    std::vector<walk*> walks_;
    std::deque<posted> posted_;
    std::deque<object> objects_;
    std::array<std::size_t, 3> in_use_{0, 1, 2};
    std::deque<count> counts_;
    std::optional<int> last_;
    std::uint64_t number_ = 0;
    std::size_t depth_ = 0;
    unsigned long long operations_ = 0;
    std::optional<registry_io::SyncRegistry<int>::with<panic>> sync_;
    std::optional<registry_io::RcuRegistry<int>::with<panic>> rcu_;
    std::optional<registry_io::LocalRegistry<int>::with<panic>> local_;
    std::optional<registry_io::latest<registry_io::SyncRegistry<int>>> latest_{std::in_place};
    // After the registries: destroyed first here, but see run().
    std::array<owning, 2> owners_;
    std::vector<std::pair<registry_io::handler_guard, tag>> guards_;
    std::vector<connected> connections_;
};

}  // namespace fuzz

#endif
