/* Copyright 2026 the registry_io authors
 * Distributed under the Boost Software License, Version 1.0.
 * (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
 *
 * Hazard pointers with last-reader-out, on a machine with store buffers.
 *
 * A label in brackets, as [hp.announce], stands in the headers beside the step that is modelled
 * here under the same label. What is checked: nobody reads what was destroyed or freed; nothing is
 * destroyed twice; captures are destroyed no later than by the end of the last read that was in
 * flight at their removal, or of that removal.
 *
 * Two readers. The writers' lock is modelled by `locked`; what happens under it is not atomic for
 * readers. A reader's stores to its slot go through its buffer, unless FALLBACK is defined: then
 * they are sequentially consistent, and there are no fences. All other stores are read-modify-write
 * operations, which empty the buffer.
 *
 *   default       one writer: a registration, whose fence is deferred, then a removal
 *   TWO_WRITERS   two writers, each of whom removes a handler
 *   FALLBACK      without membarrier
 *   ONE_READER    who reads READS times
 *
 * Each of the macros NO_..., ANY_MAIL and so on is a mutant; see test/verify.
 */

#define ROOTS 4         /* 0 is no root */
#define IDLE 0
#define CLOSED 4        /* a bit in links, beside those of the batches 0 and 1 */
#define LATEST 3

#ifndef READS
#define READS 1         /* of the first reader */
#endif

byte current;           /* the root that is published */
byte hp[2];             /* the slots, as memory has them */
byte mail[2];
chan buffer[2] = [2] of { byte };

bool locked;

/* Roots: their handlers as bits, and their eras. */
byte shows[ROOTS];
byte count[ROOTS];
byte links[ROOTS];      /* batches that hang on it; CLOSED */
byte own[ROOTS];        /* handlers that go with it alone */
byte latest = 1;        /* the last version */
byte pending;           /* roots that were replaced and are not settled */
byte retired;           /* roots that were replaced and are not freed */

/* Handlers, and the batch of each. */
byte birth[2];
byte holds[2];

/* For the properties alone. */
byte reading[2];        /* the root that a reader has validated */
bool in_flight[2];
bool destroyed[2];
bool removed[2];
byte pinned_by[2];

#define bit(n) (1 << (n))
#define shown(reader, h) (reading[reader] != 0 && (shows[reading[reader]] & bit(h)) != 0)

inline destroy(h)
{
    atomic {
        assert(!destroyed[h]);
        assert(!shown(0, h) && !shown(1, h));
        destroyed[h] = true
    }
}

inline free_root(e)
{
    assert(reading[0] != e && reading[1] != e)
}

inline store_hp(r, value)
{
#if defined(FALLBACK) && !defined(FALLBACK_BUFFERED)
    hp[r] = value
#else
    buffer[r]!value
#endif
}

/* The kernel interrupts the readers in either order, and waits for both. */
inline membarrier()
{
#ifndef FALLBACK
    if
    :: empty(buffer[0]) -> empty(buffer[1])
    :: empty(buffer[1]) -> empty(buffer[0])
    fi
#else
    skip
#endif
}

/* What the caller has to do when the last holder of an era has gone. */
inline drain(e, got)
{
    if
    :: (own[e] & 1) != 0 -> destroy(0)
    :: else
    fi;
    if
    :: (own[e] & 2) != 0 -> destroy(1)
    :: else
    fi;
    do
    :: true ->
        d_step { got = links[e]; links[e] = 0 };               /* [era.take] */
        if
        :: got == 0 ->
            if
            :: atomic { links[e] == 0 -> links[e] = CLOSED }; break   /* [era.close] */
            :: links[e] != 0
            fi
        :: else ->
            if
            :: (got & 1) != 0 -> drop_batch(0)
            :: else
            fi;
            if
            :: (got & 2) != 0 -> drop_batch(1)
            :: else
            fi
        fi
    od;
    got = 0
}

inline drop_batch(h)
{
    if
    :: atomic { holds[h] == 1 -> holds[h] = 0 }; destroy(h)    /* [era.drop_batch] */
    :: atomic { holds[h] != 1 -> assert(holds[h] > 1); holds[h]-- }
    fi
}

/* last = whether the caller has to drain */
inline let_go(e, last)
{
    d_step {                                                   /* [era.let_go] */
        assert(count[e] > 0);
        count[e]--;
        last = (count[e] == 0)
    }
}

proctype reader(byte r; byte reads)
{
    byte root;
    byte m;
    byte got;
    bool last;

    do
    :: reads > 0 ->
        reads--;
        in_flight[r] = true;
again:  root = current;                                        /* [hp.root] */
        if
        :: root == 0 -> goto done
        :: else
        fi;
        store_hp(r, root);                                     /* [hp.announce] */
        if
#ifdef NO_LOOK
        :: reading[r] = root
#else
        :: atomic { current == root -> reading[r] = root }     /* [hp.look] */
        :: current != root                                     /* and the same way out */
#endif
        fi;
#ifdef MAIL_BEFORE_IDLE
        m = mail[r];
        atomic { store_hp(r, IDLE); last = (reading[r] == root); reading[r] = 0 };
#else
        atomic { store_hp(r, IDLE); last = (reading[r] == root); reading[r] = 0 };   /* [hp.idle] */
        m = mail[r];                                           /* [hp.mail] */
#endif
        if
#ifdef ANY_MAIL
        :: m != 0 ->
#else
        :: m != 0 && m == root ->
#endif
            if
            :: atomic { mail[r] == m && empty(buffer[r]) -> mail[r] = 0 };   /* [hp.take] */
                got = last;
                let_go(m, last);
                if
                :: last -> last = got; got = 0; drain(m, got)
                :: else -> last = got; got = 0
                fi
            :: mail[r] != m
            fi
        :: else
        fi;
        m = 0;
        if
        :: last -> last = false
        :: else -> goto again
        fi;
done:   root = 0;
        d_step {
            in_flight[r] = false;
            pinned_by[0] = pinned_by[0] & ~bit(r);
            pinned_by[1] = pinned_by[1] & ~bit(r);
            assert(!removed[0] || destroyed[0] || pinned_by[0] != 0);
            assert(!removed[1] || destroyed[1] || pinned_by[1] != 0)
        }
    :: else -> break
    od
}

/* A store buffer is emptied whenever the machine likes. */
proctype memory(byte r)
{
end:
    do
    :: buffer[r]?hp[r]
    od
}

inline scan(r)
{
    seen = hp[r];                                              /* [hp.scan] */
    if
    :: seen != 0 && (pending & bit(seen)) == 0 -> seen = 0
    :: else
    fi
}

inline post(r, e)
{
    d_step { count[e]++; mail[r] = e }                         /* [hp.post] */
}

inline revoke(r, e)
{
    d_step {                                                   /* [hp.revoke] */
        if
        :: mail[r] == e -> mail[r] = 0; assert(count[e] > 1); count[e]--
        :: else
        fi
    }
}

inline settle()
{
    scan(0);
    if
    :: seen != 0 -> post(0, seen)
    :: else
    fi;
    scan(1);
    if
    :: seen != 0 -> post(1, seen)
    :: else
    fi;
#ifndef NO_FENCE
    membarrier();                                              /* [hp.fence] */
#endif
    late = false;
    settle_slot(0);
    settle_slot(1);
    if
#ifdef NO_LATE
    :: late
#else
    :: late ->
#ifndef NO_LATE_FENCE
        membarrier();                                          /* [hp.late_fence] */
#endif
        settle_late(0);
        settle_late(1)
#endif
    :: else
    fi
}

inline settle_slot(r)
{
    scan(r);
    m = mail[r];
    if
#ifndef NO_REVOKE
    :: m != 0 && m != seen && (pending & bit(m)) != 0 -> revoke(r, m)
#endif
    :: else
    fi;
    if
    :: seen != 0 && m != seen -> post(r, seen); late = true
    :: else
    fi
}

inline settle_late(r)
{
    m = mail[r];
    scan(r);
    if
    :: m != 0 && (pending & bit(m)) != 0 && seen != m -> revoke(r, m)
    :: else
    fi
}

/* Hangs the batch of h on root e, if that is older than the current one and shows h. */
inline hang(e, h)
{
    if
#ifdef NO_BIRTH
    :: (retired & bit(e)) != 0 && count[e] != 0 ->
#else
    :: (retired & bit(e)) != 0 && birth[h] <= e && count[e] != 0 ->
#endif
        holds[h]++;
        if
        :: atomic { (links[e] & CLOSED) == 0 -> links[e] = links[e] | bit(h) }   /* [era.hang] */
        :: (links[e] & CLOSED) != 0 -> holds[h]--
        fi
    :: else
    fi
}

inline sweep(e)
{
    if
    :: (retired & bit(e)) != 0 && links[e] == CLOSED ->        /* [era.closed] */
        free_root(e);
        retired = retired & ~bit(e)
    :: else
    fi
}

/* Takes handler h out; h == 2 puts handler 1 in instead, which needs no fence of its own. */
inline change(h)
{
    atomic { !locked -> locked = true };
    sweep(1);
    sweep(2);
    sweep(LATEST);
    d_step {
        next = latest + 1;
        if
        :: h == 2 -> shows[next] = shows[current] | 2; birth[1] = next
        :: else -> shows[next] = shows[current] & ~bit(h)
        fi;
        latest = next;
        count[next] = 1;
        old = current;
        batch = false;
        if
        :: h != 2 ->
            /* A batch, if an older root that is held shows it, too. */
            batch = (((retired & 2) != 0 && count[1] != 0 && birth[h] <= 1) ||
                     ((retired & 4) != 0 && count[2] != 0 && birth[h] <= 2))
        :: else
        fi;
#ifdef HANG_NEWEST
        batch = false;
#endif
        if
        :: shows[next] == 0 -> next = 0
        :: else
        fi
    };
    d_step {
        current = next;                                        /* [hp.publish] */
        if
        :: h != 2 -> pinned_by[h] = in_flight[0] + 2 * in_flight[1]
        :: else
        fi
    };
    retired = retired | bit(old);
    if
    :: h != 2 && !batch -> own[old] = bit(h)
    :: h != 2 && batch ->
        holds[h] = 1;
        hang(1, h);
        hang(2, h);
        hang(3, h)
    :: else
    fi;
    pending = pending | bit(old);
    drains = 0;
    if
#ifdef OWNER_EARLY
    :: h != 2 -> let_go(old, last);
        if
        :: last -> drains = drains | bit(old)
        :: else
        fi;
        pending = pending & ~bit(old);
        settle()
#else
#ifdef DEFERRED_IGNORED
    :: true ->
#else
    :: h != 2 ->                                               /* [hp.deferred] */
#endif
#ifdef DEFERRED_IGNORED
        if
        :: h != 2 -> settle()
        :: else
        fi;
#else
        settle();
#endif
        settled(1);
        settled(2);
        settled(LATEST);
        pending = 0
#endif
    :: else
    fi;
    seen = 0;
    m = 0;
    late = false;
    locked = false;
    if
    :: h != 2 && batch -> drop_batch(h)                        /* [era.finish] */
    :: else
    fi;
    finish(1);
    finish(2);
    finish(LATEST);
    d_step {
        next = 0;
        old = 0;
        batch = false;
        drains = 0;
        last = false;
        if
        :: h != 2 ->
            removed[h] = true;
            assert(destroyed[h] || pinned_by[h] != 0)
        :: else
        fi
    }
}

inline settled(e)
{
    if
    :: (pending & bit(e)) != 0 ->
        let_go(e, last);
        if
        :: last -> drains = drains | bit(e)
        :: else
        fi
    :: else
    fi
}

inline finish(e)
{
    if
    :: (drains & bit(e)) != 0 -> drain(e, got)
    :: else
    fi
}

#define WRITER_LOCALS byte next; byte old; byte seen; byte m; byte got; byte drains; \
    bool late; bool last; bool batch

proctype writer()
{
    WRITER_LOCALS;
#ifdef TWO_WRITERS
    change(0)
#else
    change(2);
    change(0)
#endif
}

#ifdef TWO_WRITERS
proctype other_writer()
{
    WRITER_LOCALS;
    change(1)
}
#endif

init {
    atomic {
        current = 1;
        count[1] = 1;
        birth[0] = 1;
#ifdef TWO_WRITERS
        birth[1] = 1;
        shows[1] = 3;
        run other_writer();
#else
        shows[1] = 1;
#endif
        run reader(0, READS);
#ifndef ONE_READER
        run reader(1, 1);
#endif
#if !defined(FALLBACK) || defined(FALLBACK_BUFFERED)
        run memory(0);
        run memory(1);
#endif
        run writer()
    }
}
