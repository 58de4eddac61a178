/* Copyright 2026 the registry_io authors
 * Distributed under the Boost Software License, Version 1.0.
 * (See accompanying file LICENSE_1_0.txt or copy at https://www.boost.org/LICENSE_1_0.txt)
 * SPDX-License-Identifier: BSL-1.0
 *
 * Read-copy-update with last-reader-out reclamation, on a machine with store buffers.
 *
 * Labels, properties, readers, buffers and FALLBACK are as in hazard_pointer.pml. Here an era
 * belongs to the domain and ends with an epoch, so a removal waits for every read that began before
 * that epoch.
 *
 *   default       one writer: a registration, whose fence is deferred, then two removals
 *   TWO_WRITERS   two writers; each removes a handler
 *   FALLBACK      without membarrier
 *   ONE_READER    one reader, which reads READS times
 *   REFUSED       one writer, two removals; the kernel may refuse each fence of the first
 */

#define ROOTS 5         /* 0 is no root */
#define IDLE 0
#define ERAS 3          /* 0 is no era */
#define CHAIN 64        /* further bits of hung, beside those of garbage */
#define CLOSED 128

#ifndef READS
#define READS 1         /* of the first reader */
#endif

byte current = 1;       /* the published root */
byte epoch = 1;
byte since[2];          /* the slots, in memory */
byte mail[2];
chan buffer[2] = [2] of { byte };

bool locked;            /* the writers' lock, and the domain's */

byte shows[ROOTS];      /* the handlers of a root, as bits */
byte kept;              /* garbage that is not in an era yet */
bool refused;           /* the kernel refused the fence of the current removal */
bool waits;             /* a removal whose fence was refused: its garbage is kept */
byte latest = 1;        /* the last root */

/* Eras. */
byte ends[ERAS];        /* the epoch that ends the era */
byte count[ERAS];
byte hung[ERAS];
byte own[ERAS];
byte newest;            /* 0: none in use */
byte oldest;
byte used;              /* the last era in use, or in use before */

/* Used only by the properties. */
byte reading[2];
bool in_flight[2];
bool destroyed[2];
bool removed[2];
byte pinned_by[2];

#define bit(n) (1 << (n))
#define root_bit(n) (1 << ((n) + 1))    /* garbage is handlers, then roots */
#define shown(reader, h) (reading[reader] != 0 && (shows[reading[reader]] & bit(h)) != 0)

inline destroy(h)
{
    atomic {
        assert(!destroyed[h]);
        assert(!shown(0, h) && !shown(1, h));
        destroyed[h] = true
    }
}

inline free_root(n)
{
    assert(reading[0] != n && reading[1] != n)
}

inline destroy_all(garbage)
{
    if
    :: (garbage & bit(0)) != 0 -> destroy(0)
    :: else
    fi;
    if
    :: (garbage & bit(1)) != 0 -> destroy(1)
    :: else
    fi;
    if
    :: (garbage & root_bit(1)) != 0 -> free_root(1)
    :: else
    fi;
    if
    :: (garbage & root_bit(2)) != 0 -> free_root(2)
    :: else
    fi;
    if
    :: (garbage & root_bit(3)) != 0 -> free_root(3)
    :: else
    fi
}

inline store_since(r, value)
{
#if defined(FALLBACK) && !defined(FALLBACK_BUFFERED)
    since[r] = value
#else
    buffer[r]!value
#endif
}

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

/* The fence of a writer that removes h. */
inline fence(h)
{
#ifdef REFUSED
    if
    :: h == 0 -> refused = true
    :: membarrier()
    fi
#else
    membarrier()
#endif
}

inline let_go(e, last)
{
    d_step {                                                   /* [era.let_go] */
        assert(count[e] > 0);
        count[e]--;
        last = (count[e] == 0)
    }
}

/* Drains era e, then each later era whose last hold this drops. */
inline drain(e, got, last)
{
    do
    :: true ->
        destroy_all(own[e]);
        own[e] = 0;
        last = false;
        do
        :: true ->
            d_step { got = hung[e]; hung[e] = 0 };             /* [era.take] */
            if
            :: got == 0 ->
                if
                :: atomic { hung[e] == 0 -> hung[e] = CLOSED }; break   /* [era.close] */
                :: hung[e] != 0
                fi
            :: else ->
                destroy_all(got);
                if
                :: (got & CHAIN) != 0 -> last = true           /* [rcu.chained] */
                :: else
                fi
            fi
        od;
        got = 0;
        /* The chained era has the next number. */
        if
        :: last -> e = e + 1;
            let_go(e, last);
            if
            :: last
            :: !last -> break
            fi
        :: else -> break
        fi
    od;
    last = false;
    e = 0
}

proctype reader(byte r; byte reads)
{
    byte last_epoch;
    byte m;
    byte got;
    bool last;

    do
    :: reads > 0 ->
        reads--;
        in_flight[r] = true;
        if
        :: current == 0 -> goto done                           /* [rcu.look] */
        :: else
        fi;
        last_epoch = epoch;                                    /* [rcu.now] */
        store_since(r, last_epoch);                            /* [rcu.announce] */
        reading[r] = current;                                  /* [rcu.root] */
#ifdef MAIL_BEFORE_IDLE
        m = mail[r];
        atomic { store_since(r, IDLE); reading[r] = 0 };
#else
        atomic { store_since(r, IDLE); reading[r] = 0 };       /* [rcu.idle] */
        m = mail[r];                                           /* [rcu.mail] */
#endif
        if
#ifdef ANY_MAIL
        :: m != 0 ->
#else
        :: m != 0 && last_epoch < ends[m] ->
#endif
            if
            :: atomic { mail[r] == m && empty(buffer[r]) -> mail[r] = 0 };   /* [rcu.take] */
                let_go(m, last);
                if
                :: last -> drain(m, got, last)
                :: else
                fi
            :: mail[r] != m
            fi
        :: else
        fi;
        m = 0;
        last = false;
done:   last_epoch = 0;
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

proctype memory(byte r)
{
end:
    do
    :: buffer[r]?since[r]
    od
}

inline scan_and_post(r)
{
    seen = since[r];                                           /* [rcu.scan] */
    if
    :: seen != 0 && seen < ends[e] && mail[r] == 0 ->
        d_step { count[e]++; mail[r] = e };                    /* [rcu.post] */
        late = true
    :: else
    fi
}

inline revoke(r)
{
    d_step {                                                   /* [rcu.revoke] */
        if
        :: mail[r] == e -> mail[r] = 0; assert(count[e] > 1); count[e]--
        :: else
        fi
    }
}

inline revoke_moved(r)
{
    if
    :: mail[r] == e ->
        seen = since[r];
        if
        :: seen == 0 || seen >= ends[e] ->
            revoke(r)
        :: else
        fi
    :: else
    fi
}

/* Recycles closed eras, the oldest first. */
inline sweep()
{
    do
    :: oldest != 0 && hung[oldest] == CLOSED ->               /* [era.closed] */
        if
        :: oldest == newest -> oldest = 0; newest = 0
        :: else -> oldest++
        fi
    :: else -> break
    od;
    skip    /* a loop must not end in front of a d_step */
}

/* Removes handler h; h == 2 adds handler 1 instead, which needs no fence of its own. */
inline change(h)
{
    atomic { !locked -> locked = true };
    sweep();
    d_step {
        next = latest + 1;
        old = current;
        if
        :: h == 2 -> shows[next] = shows[current] | 2
        :: else -> shows[next] = shows[current] & ~bit(h)
        fi;
        latest = next;
        if
        :: shows[next] == 0 -> next = 0
        :: else
        fi
    };
#ifdef EPOCH_FIRST
    epoch++;
#endif
    current = next;                                            /* [rcu.publish] */
    kept = kept | root_bit(old);
    if
    :: h != 2 -> kept = kept | bit(h)
    :: else
    fi;
    if
    :: h != 2 ->                                               /* [rcu.deferred] */
        used++;
        e = used;
        count[e] = 1;
#ifdef EPOCH_FIRST
        ends[e] = epoch;
        pinned_by[h] = in_flight[0] + 2 * in_flight[1];
#else
        ends[e] = epoch + 1;
        d_step {
            epoch = ends[e];                                   /* [rcu.epoch] */
            pinned_by[h] = in_flight[0] + 2 * in_flight[1];
            if
            :: waits -> pinned_by[0] = pinned_by[h]
            :: else
            fi
        };
#endif
        late = false;
        scan_and_post(0);
        scan_and_post(1);
#ifndef NO_FENCE
        fence(h);                                              /* [rcu.fence] */
#endif
        if
        :: !refused ->
            late = false;
#ifndef NO_REVOKE
            revoke_moved(0);
            revoke_moved(1);
#endif
            scan_and_post(0);
            scan_and_post(1);
#ifndef NO_LATE
            if
            :: late ->
#ifndef NO_LATE_FENCE
                fence(h);                                      /* [rcu.late_fence] */
#endif
                if
                :: !refused ->
                    revoke_moved(0);
                    revoke_moved(1)
                :: else
                fi
            :: else
            fi
#endif
        :: else
        fi;
#ifdef REFUSED_IGNORED
        refused = false;
#endif
        merged = false;
        if
        :: refused ->
#ifndef REFUSED_KEEPS_MAIL
            revoke(0);
            revoke(1);
#endif
            if
#ifdef REFUSED_USED_AGAIN
            :: true -> used--
#else
            :: count[e] == 1 -> used--
            :: count[e] != 1    /* a reader is about to drop it: it is never used again */
#endif
            fi;
            merged = true
#ifdef MERGED_TOO_EASILY
        :: !refused && newest != 0 && count[newest] != 0 ->
#else
        :: !refused && count[e] == 1 && newest != 0 && count[newest] != 0 ->
#endif
            if
            :: atomic { (hung[newest] & CLOSED) == 0 ->
                hung[newest] = hung[newest] | kept };          /* [era.hang] */
                merged = true
            :: (hung[newest] & CLOSED) != 0
            fi
        :: else
        fi;
        if
        :: refused -> last = false
        :: !refused && merged ->
            used--;
            last = false
        :: else ->
            own[e] = kept;
            if
            :: newest != 0 && count[newest] != 0 ->
#ifndef NOT_CHAINED
#ifndef CHAIN_WITHOUT_HOLD
                d_step { count[e]++ };
#endif
                if
                :: atomic { (hung[newest] & CLOSED) == 0 ->
                    hung[newest] = hung[newest] | CHAIN }      /* [rcu.chain] */
                :: (hung[newest] & CLOSED) != 0 ->
                    d_step { assert(count[e] > 1); count[e]-- }
                fi
#else
                skip
#endif
            :: else
            fi;
            if
            :: newest == 0 -> oldest = e
            :: else
            fi;
            newest = e;
            let_go(e, last)
        fi;
        if
        :: !refused -> kept = 0
        :: else
        fi
    :: else
    fi;
    seen = 0;
    late = false;
    locked = false;
    if
    :: h != 2 && !merged && last -> drain(e, got, last)
    :: else
    fi;
    d_step {
        next = 0;
        old = 0;
        e = 0;
        last = false;
        merged = false;
        if
        :: h != 2 && refused -> waits = true
        :: h != 2 && !refused ->
            removed[h] = true;
            assert(destroyed[h] || pinned_by[h] != 0);
            if
            :: waits -> removed[0] = true; waits = false; assert(destroyed[0] || pinned_by[0] != 0)
            :: else
            fi
        :: else
        fi;
        refused = false
    }
}

#define WRITER_LOCALS byte next; byte old; byte seen; byte e; byte got; \
    bool late; bool last; bool merged

proctype writer()
{
    WRITER_LOCALS;
#ifdef TWO_WRITERS
    change(0)
#else
#ifndef REFUSED
    change(2);
#endif
    change(0);
    change(1)
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
#ifdef TWO_WRITERS
        shows[1] = 3;
        run other_writer();
#elif defined(REFUSED)
        shows[1] = 3;
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
