// Copyright 2026 the registry_io authors
// Distributed under the Boost Software License, Version 1.0.
// (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)

#ifndef REGISTRY_IO_RECLAIM_ERA_HPP
#define REGISTRY_IO_RECLAIM_ERA_HPP

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

#include <registry_io/config.hpp>
#include <registry_io/garbage.hpp>
#include <registry_io/reclaim/env.hpp>

namespace registry_io {
inline namespace v1 {
namespace reclaim {

template <class Env>
struct batch;

/// Hangs one batch on one era.
template <class Env>
struct link
{
    link* next = nullptr;
    batch<Env>* what = nullptr;
};

/// Garbage that more than one era keeps alive: it goes when the last of them has let go.
/// It and its links are one allocation, which `free` gives back.
template <class Env>
struct batch
{
    using free_type = void (*)(batch*) noexcept;

    batch(free_type f, link<Env>* l, std::uint32_t n) noexcept : free(f), links(l), size(n) {}

    typename Env::template atomic<std::uint32_t> holds{1};
    free_type free;
    link<Env>* links;
    std::uint32_t size;      ///< how many links follow it
    bool completes = false;  ///< it signals a completion
    garbage_list list;
    std::uint64_t oldest = 0;  ///< the version of the oldest root that shows what is in it
    batch* next = nullptr;     ///< in the retirement that made it

    void drop() noexcept
    {
        // [era.drop_batch] release: what this thread read of the captures comes before their
        // destruction by another thread. acquire: that thread, when it is this one, sees all of it.
        if (holds.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            // The memory first: once a completion is signalled its source may be gone.
            garbage_list mine = list;
            free(this);
            mine.destroy_all();
        }
    }
};

/// A batch whose memory comes from an alloc source.
template <class Env, class Source>
struct sourced_batch : batch<Env>
{
    /// With `n` links. Null, or throws, when there is no memory.
    static batch<Env>* make(Source source, std::uint32_t n)
    {
        void* p = source.allocate(bytes(n), alignof(sourced_batch));
        if (p == nullptr)
            return nullptr;
        auto* b = ::new (p) sourced_batch(source, n);
        for (std::uint32_t i = 0; i < n; ++i)
            ::new (static_cast<void*>(b->links + i)) link<Env>{nullptr, b};
        return b;
    }

    REGISTRY_IO_NO_UNIQUE_ADDRESS Source source;

private:
    sourced_batch(Source const& s, std::uint32_t n) noexcept
        : batch<Env>(&give_back, reinterpret_cast<link<Env>*>(this + 1), n), source(s)
    {
        static_assert(sizeof(sourced_batch) % alignof(link<Env>) == 0);
    }

    static void give_back(batch<Env>* b) noexcept
    {
        auto* self = static_cast<sourced_batch*>(b);
        Source source = self->source;
        std::size_t const n = bytes(self->size);
        self->~sourced_batch();
        source.deallocate(self, n, alignof(sourced_batch));
    }

    static std::size_t bytes(std::uint32_t n) noexcept
    {
        return sizeof(sourced_batch) + n * sizeof(link<Env>);
    }
};

template <class Env>
class era;

/// Eras that nobody holds any more, left by readers for a writer to drain.
template <class Env>
class era_stack
{
public:
    /// The caller was the last to hold it, and touches neither again.
    void push(era<Env>& e) noexcept
    {
        era<Env>* top = top_.load(std::memory_order_relaxed);
        do {
            e.next_drop = top;
            // release: what the readers of the era did comes before its drain.
        } while (!top_.compare_exchange_strong(top, &e, std::memory_order_release,
                                               std::memory_order_relaxed));
    }

    /// Drains what lies in it, and what that lets go of. Runs destructors of captures.
    void drain_all() noexcept
    {
        // relaxed: a look that comes too early is a look before the push.
        while (top_.load(std::memory_order_relaxed) != nullptr) {
            // acquire: pairs with push.
            era<Env>* e = top_.exchange(nullptr, std::memory_order_acquire);
            while (e != nullptr)
                // The next one first: the drain may give up the memory around this one.
                std::exchange(e, e->next_drop)->drain();
        }
    }

private:
    typename Env::template atomic<era<Env>*> top_{nullptr};
};

/// The time during which readers can see one set of things.
///
/// `count` holds the owner and each reader that has been asked, or has asked, to report when it
/// leaves. Whoever brings it to zero drains: destroys what only this era kept alive, and drops its
/// hold on the batches that other eras keep too. An era that has drained is closed, which is the
/// last thing that a drain does to it; from then on it belongs to the writers alone.
///
/// A publication that ends an era while readers are inside leaves the freeing to the last of them
/// that way ("last reader out"): no later operation is needed, no reader waits for another.
template <class Env>
class REGISTRY_IO_EXPORT era
{
    template <class T>
    using atomic = typename Env::template atomic<T>;

public:
    constexpr era() noexcept = default;

    /// Whom `synchronize` must not be called from while this drains.
    void const* owner = nullptr;
    /// What goes with this era alone. Set by the writer that ends it, before it drops its count.
    garbage_list own;
    /// For a writer's list of eras that it has yet to drop, and for an `era_stack`.
    era* next_drop = nullptr;
    /// Where the last holder leaves it; null when that one drains it.
    era_stack<Env>* leave_to = nullptr;

    /// For eras that are used again: as if new. Precondition: closed, or never used.
    void restart() noexcept
    {
        own = garbage_list();
        next_drop = nullptr;
        count_.store(1, std::memory_order_relaxed);
        links_.store(nullptr, std::memory_order_relaxed);
    }

    /// One holder more. Precondition: the caller knows of a holder that stays meanwhile.
    // relaxed: an increment hands nothing over.
    void hold() noexcept { count_.fetch_add(1, std::memory_order_relaxed); }

    /// How many hold it, the owner included. acquire: who sees the last reader gone may edit or
    /// free what that reader read.
    std::uint32_t holders() const noexcept { return count_.load(std::memory_order_acquire); }

    /// [era.closed] Whether it has drained. acquire: the drain comes before what the writer does
    /// next, which is to free or reuse the memory around this era.
    bool closed() const noexcept { return links_.load(std::memory_order_acquire) == end(); }

    /// Hangs a batch on it; false when the era has closed, and will not let go of anything more.
    bool hang(link<Env>& l) noexcept
    {
        // acquire, here and where the exchange fails: who finds it closed destroys what readers of
        // this era read, and may free the era. Pairs with the close at the end of a drain; with
        // relaxed loads the last reader's reads would race with that destruction.
        link<Env>* head = links_.load(std::memory_order_acquire);
        do {
            if (head == end())
                return false;
            l.next = head;
            // [era.hang] release: the drain reads the link and its batch.
        } while (!links_.compare_exchange_strong(head, &l, std::memory_order_release,
                                                 std::memory_order_acquire));
        return true;
    }

    /// Lets this era's drain drop one hold of `later`, as its last act. False when it has closed.
    /// Once for each `later`.
    bool chain(era& later) noexcept
    {
        later.chained_.what = nullptr;
        return hang(later.chained_);
    }

    /// One holder less. The last one drains, and runs destructors of captures, or leaves that to
    /// the stack.
    void drop() noexcept
    {
        // A loop, since a chain of eras can be long.
        for (era* e = this; e != nullptr && e->let_go();) {
            if (e->leave_to != nullptr)
                return e->leave_to->push(*e);
            e = e->drain_once();
        }
    }

    /// The same for an owner under the writers' lock: no user code runs. When it returns true the
    /// caller has to drain, without the lock. Till then the era is unread, and not closed.
    bool let_go() noexcept
    {
        // [era.let_go] release: this holder's reads come before the destruction. acquire: for the
        // last one.
        return count_.fetch_sub(1, std::memory_order_acq_rel) == 1;
    }

    /// Precondition: nobody holds it, and this is called once.
    void drain() noexcept
    {
        if (era* const later = drain_once())
            later->drop();
    }

private:
    // Not the address of an object: shared objects may each have their own copy of a static.
    // NOLINTNEXTLINE(performance-no-int-to-ptr): it is only compared.
    static link<Env>* end() noexcept { return reinterpret_cast<link<Env>*>(alignof(link<Env>)); }

    /// Returns the era that is chained to this one.
    BOOST_NOINLINE era* drain_once() noexcept
    {
        frame_scope<Env> frame(owner);
        link<Env>* completions = nullptr;
        era* later = nullptr;
        own.destroy_all();
        for (;;) {
            // [era.take] acquire: pairs with hang.
            link<Env>* head = links_.exchange(nullptr, std::memory_order_acquire);
            if (head == nullptr) {
                // [era.close] Closing only an empty list means that what is hung while destructors
                // run is honoured too: a completion waits for them. release: pairs with closed.
                if (links_.compare_exchange_strong(head, end(), std::memory_order_acq_rel,
                                                   std::memory_order_acquire))
                    break;
                continue;
            }
            while (head != nullptr) {
                // The next link first: dropping the batch may free this one.
                link<Env>* l = std::exchange(head, head->next);
                if (l->what == nullptr) {
                    later = from_chained(l);  // [rcu.chained]
                } else if (l->what->completes) {
                    l->next = completions;
                    completions = l;
                } else {
                    l->what->drop();
                }
            }
        }
        // Completions after everything else, and after the last touch of this era: the thread that
        // they wake may destroy the registry and the memory that this era lies in.
        while (completions != nullptr) {
            batch<Env>* what = completions->what;
            completions = completions->next;
            what->drop();
        }
        return later;
    }

    struct chained_link : link<Env>
    {
        explicit constexpr chained_link(era* e) noexcept : self(e) {}
        era* self;
    };
    static era* from_chained(link<Env>* l) noexcept { return static_cast<chained_link*>(l)->self; }

    atomic<std::uint32_t> count_{1};
    atomic<link<Env>*> links_{nullptr};
    chained_link chained_{this};
};

/// Lets a thread wait until a set of eras has drained. Lives on the waiting thread's stack: the
/// last touch by another thread is the one that lets the wait return.
template <class Env>
class completion : public garbage
{
public:
    completion() noexcept : garbage(&signal) {}
    completion(completion const&) = delete;
    completion& operator=(completion const&) = delete;

    void wait() noexcept
    {
        for (;;) {
            unsigned const seen = signals().load(std::memory_order_acquire);
            if (done())
                return;
            Env::wait(signals(), seen);
        }
    }

protected:
    // acquire: what was destroyed, and what the readers did, comes before our return.
    bool done() const noexcept { return done_.load(std::memory_order_acquire) != 0; }

private:
    static void signal(garbage* g) noexcept
    {
        static_cast<completion*>(g)->done_.store(1, std::memory_order_release);
        signals().fetch_add(1, std::memory_order_release);
        Env::wake_all(signals());
    }

    /// The word that threads sleep on is shared by all completions and lives for ever.
    struct REGISTRY_IO_EXPORT signal_word
    {
        typename Env::template atomic<unsigned> value{0};
    };
    static typename Env::template atomic<unsigned>& signals() noexcept
    {
        return Env::template global<signal_word>().value;
    }

    typename Env::template atomic<unsigned> done_{0};
};

/// The same where readers do not drain: the waiting thread does, and asks again and again, since no
/// reader wakes it up.
template <class Env>
class polling_completion : public completion<Env>
{
public:
    /// Set by the writer that reserves.
    era_stack<Env>* left = nullptr;

    void wait() noexcept
    {
        for (;;) {
            left->drain_all();
            if (this->done())
                return;
            Env::nap();
        }
    }
};

/// Retired roots in the order of their versions. `Node` has `version` and `newer`.
template <class Node>
class root_list
{
public:
    Node* oldest() const noexcept { return oldest_; }

    void push(Node& n) noexcept
    {
        n.newer = nullptr;
        (oldest_ == nullptr ? oldest_ : newest_->newer) = &n;
        newest_ = &n;
    }

    /// Takes off the list, and hands to `f`, each root for which `gone` holds.
    template <class Gone, class F>
    void sweep(Gone gone, F f)
    {
        Node* n = abandon();
        while (n != nullptr) {
            Node* const next = n->newer;
            if (gone(*n))
                f(*n);
            else
                push(*n);
            n = next;
        }
    }

    /// Whether one of them has a version in [birth, death).
    bool spans(std::uint64_t birth, std::uint64_t death) const noexcept
    {
        for (Node const* n = oldest_; n != nullptr; n = n->newer)
            if (birth <= n->version && n->version < death)
                return true;
        return false;
    }

    /// Empties the list; returns the oldest, from which the others can be reached.
    Node* abandon() noexcept
    {
        newest_ = nullptr;
        return std::exchange(oldest_, nullptr);
    }

private:
    Node* oldest_ = nullptr;
    Node* newest_ = nullptr;
};

/// What the policies with one era for each root keep in the root. It is the first base of the
/// root, so that the two have one address.
template <class Env>
struct era_root : era<Env>
{
    std::uint64_t version = 0;
    era_root* newer = nullptr;  ///< the next retired root
};

/// A writer's list of the roots that it has replaced and that readers may still hold, oldest
/// first, and the way to hang on them what was taken out. All under the writers' lock, but
/// `retirement::finish`.
template <class Env, class Source>
class retired_roots
{
public:
    using root = era_root<Env>;

    /// What one publication takes out, on its way to the readers that can see it.
    class retirement
    {
    public:
        explicit retirement(void const* owner) noexcept : owner_(owner) {}
        retirement(retirement&& other) noexcept
            : owner_(other.owner_),
              own_(std::exchange(other.own_, {})),
              batches_(std::exchange(other.batches_, nullptr)),
              drains_(std::exchange(other.drains_, nullptr)),
              left_(other.left_)
        {
        }
        retirement& operator=(retirement&&) = delete;

        /// Never published: gives back what reserve allocated; what was to be taken out stays.
        ~retirement()
        {
            while (batch<Env>* b = batches_) {
                batches_ = b->next;
                b->free(b);
            }
        }

        /// Destroys what no reader can see, or leaves it to the last reader. Runs user code.
        void finish() noexcept
        {
            frame_scope<Env> frame(owner_);
            // [era.finish] What hangs on no era.
            while (batch<Env>* b = batches_) {
                batches_ = b->next;
                b->drop();
            }
            while (era<Env>* e = drains_) {
                drains_ = e->next_drop;
                e->drain();
            }
            own_.destroy_all();
            if (left_ != nullptr)
                left_->drain_all();
        }

        /// Also lets finish drain what readers have left there.
        void collect(era_stack<Env>& left) noexcept { left_ = &left; }

        /// Whether it takes anything out, or somebody waits for it.
        bool wants_settling() const noexcept { return !own_.empty() || batches_ != nullptr; }

        /// Gives up the owner's hold on this era, so that nothing more is hung on it when nobody
        /// reads it; should that have been the last one, finish drains it.
        void let_go(era<Env>& e) noexcept
        {
            if (e.let_go())
                drain_later(e);
        }

        /// Lets finish drain an era that nobody holds.
        void drain_later(era<Env>& e) noexcept
        {
            e.next_drop = drains_;
            drains_ = &e;
        }

        /// Whether a completion hangs in it.
        bool waited_for() const noexcept
        {
            for (batch<Env> const* b = batches_; b != nullptr; b = b->next)
                if (b->completes)
                    return true;
            return false;
        }

    private:
        friend class retired_roots;

        void const* owner_;
        garbage_list own_;               // goes with the replaced root alone
        batch<Env>* batches_ = nullptr;  // the last reserved first
        era<Env>* drains_ = nullptr;
        era_stack<Env>* left_ = nullptr;
    };

    /// Prepares to take `dead` out and to signal `wait`, if any. May throw; then nothing happened.
    /// On null from the source it calls `no_memory`, which must not return.
    template <class NoMemory>
    retirement reserve(Source const& source, void const* owner, garbage_list const& dead,
                       completion<Env>* wait, NoMemory no_memory)
    {
        retirement r(owner);
        std::uint32_t behind = 1;  // the links that a batch needs at most: one for the current root
        for (root const* o = roots_.oldest(); o != nullptr; o = o->newer)
            ++behind;
        auto add = [&](std::uint64_t oldest) {
            batch<Env>* b = sourced_batch<Env, Source>::make(source, behind);
            if (b == nullptr)
                no_memory();
            b->oldest = oldest;
            b->next = r.batches_;
            r.batches_ = b;
            return b;
        };
        if (wait != nullptr) {
            batch<Env>* b = add(0);
            b->completes = true;
            b->list.push(wait);
        }
        // A sleeping reader must pin what it can see and nothing newer. So each thing hangs on the
        // roots from its birth on: a batch for each root that is the oldest one to show something.
        r.own_ = dead;
        for (root const* o = roots_.oldest(); o != nullptr && !r.own_.empty(); o = o->newer) {
            if (o->holders() != 0) {
                garbage_list shown;
                r.own_.move_if(shown, [o](garbage const& g) { return g.birth <= o->version; });
                if (!shown.empty()) {
                    // Should this throw: the nodes are the caller's, and still registered.
                    add(o->version)->list = shown;
                }
            }
            --behind;
        }
        return r;
    }

    /// Retires `replaced`, null if there was no root: hangs on it and on the older roots what the
    /// retirement takes out. Its owner's count stays; the policy gives it to `retirement::let_go`
    /// when it has made sure of the readers that hold it.
    void retire(root* replaced, retirement& r) noexcept
    {
        if (replaced != nullptr) {
            roots_.push(*replaced);
            replaced->own = std::exchange(r.own_, {});
        }
        for (batch<Env>** at = &r.batches_; *at != nullptr;) {
            batch<Env>* const b = *at;
            batch<Env>* const next = b->next;
            link<Env>* l = b->links;
            for (root* o = roots_.oldest(); o != nullptr; o = o->newer) {
                // No holder: it is draining, or has drained; nobody can see anything through it.
                // A completion waits for the drain too.
                if (o->version < b->oldest || (o->holders() == 0 && !b->completes))
                    continue;
                // relaxed: the batch's own hold stays meanwhile.
                b->holds.fetch_add(1, std::memory_order_relaxed);
                if (!o->hang(*l))
                    b->holds.fetch_sub(1, std::memory_order_relaxed);
                else
                    ++l;
            }
            // What hangs belongs to the eras from here on, and no longer to this writer: the lock
            // still keeps out a synchronize, whose completion hangs on the same eras and so comes
            // after the destruction. Unless they all have drained meanwhile; then finish destroys.
            // release: what we did to it comes before that. acquire: when it is we.
            if (l != b->links && b->holds.fetch_sub(1, std::memory_order_acq_rel) != 1) {
                *at = next;
            } else {
                b->holds.store(1, std::memory_order_relaxed);
                at = &b->next;
            }
        }
    }

    /// Hands each retired root that has closed to `f`.
    template <class F>
    void sweep(F f)
    {
        roots_.sweep([](root const& o) { return o.closed(); }, f);
    }

    bool spans(std::uint64_t birth, std::uint64_t death) const noexcept
    {
        return roots_.spans(birth, death);
    }

    /// Whether one of them still has holders.
    bool read() const noexcept
    {
        for (root const* o = roots_.oldest(); o != nullptr; o = o->newer)
            if (o->holders() != 0)
                return true;
        return false;
    }

    /// Forgets them all; whoever holds them goes on holding them. Returns the oldest.
    root* abandon() noexcept { return roots_.abandon(); }

private:
    root_list<root> roots_;
};

}  // namespace reclaim
}  // namespace v1
}  // namespace registry_io

#endif
