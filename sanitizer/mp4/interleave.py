"""Put frames that stream by into the order that sanitizer.mp4.order gives to those of a file.

Rule: half seconds of each track in turn, so that a file made here is laid out as it would be when
it is cleaned again. Little is held: what the slowest track has passed goes on, and beyond a bound
the order gives way.
"""

from collections.abc import Iterator

from sanitizer.mp4.model import Movie

_SLICES_A_SECOND = 2
_MOST = 64 << 20


def in_order(
    frames: Iterator[tuple[int, bytes]], movie: Movie, most: int = _MOST
) -> Iterator[tuple[int, bytes]]:
    """Yield (place of the track, frame), all of them, holding ``most`` bytes or little more.

    A frame's duration must be in the movie when the frame comes.
    """
    now, seen, slices = ([0] * len(movie.tracks) for _ in range(3))
    waiting: dict[tuple[int, int], list[bytes]] = {}
    held = 0
    for place, frame in frames:
        track = movie.tracks[place]
        slices[place] = now[place] * _SLICES_A_SECOND // track.timescale
        key = slices[place], place
        if key not in waiting:
            passed = min((slice_, number) for number, slice_ in enumerate(slices))
            for done in sorted(waiting):
                if done < passed or held > most:
                    group = waiting.pop(done)
                    held -= sum(map(len, group))
                    yield from ((done[1], each) for each in group)
            waiting[key] = []
        waiting[key].append(frame)
        held += len(frame)
        now[place] += track.samples.durations[seen[place]]
        seen[place] += 1
    for key in sorted(waiting):
        yield from ((key[1], each) for each in waiting[key])
