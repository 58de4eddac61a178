// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
// SPDX-License-Identifier: BSL-1.0

// The writer of the snapshot policy `rcu`: the order of the steps of a publication, and the garbage
// that waits for an epoch to end. A publication exchanges the root. The end of an epoch costs a
// fence, so registrations and the first removals of a batch keep their garbage for a later one.
// Invariant: what is kept was replaced before the next epoch ends, and no reader of a later epoch
// sees it.

#ifndef REGISTRY_IO_RECLAIM_RCU_WRITER_HPP
#define REGISTRY_IO_RECLAIM_RCU_WRITER_HPP

#include <registry_io/detail/supported.hpp>

#include <atomic>
#include <new>
#include <type_traits>
#include <utility>

#include <registry_io/config.hpp>
#include <registry_io/detail/on_demand.hpp>
#include <registry_io/garbage.hpp>
#include <registry_io/reclaim/completion.hpp>
#include <registry_io/reclaim/era.hpp>
#include <registry_io/reclaim/late_part.hpp>
#include <registry_io/reclaim/misuse.hpp>
#include <registry_io/reclaim/nesting.hpp>
#include <registry_io/reclaim/rcu.hpp>

namespace registry_io {
inline namespace v1 {
namespace reclaim {

/// The writer of a store whose readers announce the epochs of an `rcu_domain`.
///
/// `Store` has `root_` and `domain_`. `Reclaim` says when captures are destroyed.
template <class Reclaim, class Env, class Root, class Store, class Source>
class rcu_writer
{
    using domain_type = rcu_domain<Env>;
    using era = typename domain_type::era_type;
    using outcome = typename domain_type::outcome;

public:
    using completion = typename domain_type::template basic_completion<std::conditional_t<
        Reclaim::on_readers, reclaim::completion<Env>, polling_completion<Env, reclaim::era<Env>>>>;

    class retirement
    {
    public:
        retirement(retirement&& other) noexcept
            : free_(std::exchange(other.free_, {})),
              domain_(other.domain_),
              dead_(std::exchange(other.dead_, {})),
              era_(std::exchange(other.era_, nullptr)),
              drain_(std::exchange(other.drain_, nullptr)),
              wait_(other.wait_)
        {
        }
        retirement(retirement const&) = delete;
        retirement& operator=(retirement const&) = delete;

        ~retirement()
        {
            if (era_ != nullptr)
                domain_.give_back(*era_);
        }

        void finish() noexcept
        {
            nesting_scope<Env> const nesting(&domain_);
            free_.destroy_all();
            // Last: a completion that waits for the era must also wait for `free_`.
            if (drain_ != nullptr)
                drain_->drain();
            if constexpr (!Reclaim::on_readers)
                domain_.left().drain_all();
        }

        /// Whether `finish` has nothing to do that could run user code.
        bool idle() const noexcept
        {
            return Reclaim::on_readers && free_.empty() && drain_ == nullptr;
        }

    private:
        friend class rcu_writer;
        explicit retirement(domain_type& d) noexcept : domain_(d) {}

        garbage_list free_{};
        domain_type& domain_;
        garbage_list dead_{};
        era* era_ = nullptr;    // not in use
        era* drain_ = nullptr;  // in use, without holders: `finish` drains it
        completion* wait_ = nullptr;
    };

    rcu_writer(Store& s, Source const& source) : store_(s), late_(source) { domain().prepare(); }

    /// Whether `prepare` has been called.
    bool prepared() const noexcept { return late_.get() != nullptr; }
    /// Makes the state that only the second and later publications need. Call it before a second
    /// root is made.
    void prepare()
    {
        if (late_.get() == nullptr)
            prepare_once();
    }

    typename Env::mutex& mutex() noexcept { return mutex_; }

    bool foreign() const noexcept { return false; }  // only readers can be: see the store

    Root* current() const noexcept { return store_.root_.load(std::memory_order_relaxed); }

    bool exclusive() const noexcept { return false; }

    template <class NoMemory>
    retirement reserve(garbage_list const& dead, completion* wait, NoMemory no_memory)
    {
        if (current() != nullptr || !dead.empty() || wait != nullptr)
            prepare();
        retirement r(domain());
        if (!prepared())
            return r;
        r.era_ = domain().allocate();
        if (r.era_ == nullptr)
            no_memory();
        r.dead_ = dead;
        r.wait_ = wait;
        if constexpr (!Reclaim::on_readers)
            if (wait != nullptr)
                wait->done.leaves = &domain().left();
        return r;
    }

    template <class Recycle>
    void publish(Root* next, retirement& r, Recycle recycle) noexcept
    {
        Root* const old = current();
        replacing* const l = late_.get();
        if (l == nullptr) {  // this publication replaces no root, and no earlier one did
            store_.root_.exchange(next, std::memory_order_seq_cst);  // [rcu.publish] as below
            return;
        }
        l->removals += r.dead_.empty() ? 0u : 1u;
        // Includes the garbage of earlier removals of the same batch.
        l->kept.append(r.dead_);
        if (next != old) {
            // As in hazard_pointer.
            if (next != nullptr)
                l->first.attach(*next);
            // [rcu.publish] release: pairs with rcu.root, so that readers see the rows. seq_cst: in
            // full mode the exchange comes before the scan in the total order, or both sides could
            // miss each other.
            store_.root_.exchange(next, std::memory_order_seq_cst);
            if (old != nullptr) {
                l->kept.push(&old->as_garbage());
                ++l->unsettled;
            }
        }
        bool const now = l->removals >= Reclaim::batch || r.wait_ != nullptr;
        bool const free_only = !now && l->unsettled < most_unsettled;  // [rcu.deferred]
        outcome const o = domain().retire(*r.era_, l->kept, r.wait_, free_only);
        if (o == outcome::deferred)
            return;
        l->unsettled = l->removals = 0;
        switch (o) {
        case outcome::unread:
            r.drain_ = r.era_;
            r.free_ = std::exchange(r.era_->own, {});
            recycle(r.free_);
            r.era_ = nullptr;
            break;
        case outcome::used:
            r.era_ = nullptr;
            break;
        case outcome::refused:
            // Without the fence nothing may be freed, so the garbage waits until the kernel grants
            // the fence again, and a thread that waits for readers cannot return. A reader may
            // still hold the era and be about to drop it: then the era is not used again.
            if (r.wait_ != nullptr)
                fence_refused();
            if (r.era_->holders() != 1)
                r.era_ = nullptr;
            break;
        default:
            break;
        }
    }

    bool held() const noexcept { return false; }  // epochs separate old readers from new

    bool would_deadlock() const noexcept { return domain().would_deadlock(); }

    REGISTRY_IO_DETAIL_COLD void close(garbage_list& dead) noexcept
    {
        // Readers of other registries may be inside the domain. Of this registry only this thread
        // can be a reader.
        bool const inside = would_deadlock();
        single_part<Root> late;
        garbage_list kept{};
        if (replacing* const l = late_.get())
            kept = std::exchange(l->kept, {});
        kept.append(dead);
        if (Root* const root = store_.root_.exchange(nullptr, std::memory_order_relaxed)) {
            if (!inside)
                late.attach(*root);
            else if (!root->attached() && !attach_for_later(*root))
                return;  // leaks, as below
            kept.push(&root->as_garbage());
        }
        if (!kept.empty() && inside) {
            if (era* const e = domain().allocate()) {
                retirement r(domain());
                switch (domain().retire(*e, kept, static_cast<completion*>(nullptr), false)) {
                case outcome::unread:
                    r.drain_ = e;
                    break;
                case outcome::merged:
                    r.era_ = e;
                    break;
                default:
                    break;
                }
                r.finish();
            }
            return;  // leaks the garbage if there is no memory for an era, or no fence
        }
        nesting_scope<Env> const nesting(&domain());
        kept.destroy_all();
        if constexpr (!Reclaim::on_readers)
            domain().left().drain_all();
    }

private:
    static constexpr unsigned most_unsettled = Reclaim::batch < 32 ? 32 : Reclaim::batch;

    domain_type& domain() const noexcept { return *store_.domain_; }

    /// Attaches a late part that is destroyed with the root. Returns false if there is no memory.
    /// The part comes from the global heap, as eras do: the registry's memory may be used up.
    static bool attach_for_later(Root& root) noexcept
    {
        struct own_part : Root::late_part
        {
            garbage::destroy_type destroy_root = nullptr;
            static void end(garbage* g) noexcept
            {
                auto* const self = static_cast<own_part*>(g);
                self->destroy_root(self);
                delete self;
            }
        };
        auto* const late = new (std::nothrow) own_part;
        if (late == nullptr)
            return false;
        root.attach(*late);
        late->destroy_root = std::exchange(late->destroy, &own_part::end);
        return true;
    }

    /// State that exists from the second publication on, which is the first to replace a root.
    struct replacing
    {
        REGISTRY_IO_NO_UNIQUE_ADDRESS single_part<Root> first{};
        garbage_list kept{};     // garbage that is not retired yet
        unsigned unsettled = 0;  // replaced roots, and removals, since the last epoch
        unsigned removals = 0;
    };

    REGISTRY_IO_DETAIL_COLD void prepare_once()
    {
        replacing& l = late_.make();
        if (Root* const root = current())
            l.first.attach(*root);
    }

    Store& store_;
    registry_io::detail::on_demand<replacing, Source> late_;
    typename Env::mutex mutex_{};
};

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
