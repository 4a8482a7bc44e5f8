import { overloaded } from '../problem.ts'
import type { AppContext } from '../route.ts'

/** Who follows a stream of events. */
export interface EventReader {
  /** The same for all requests of one person or token. */
  who: string
  /** Whether its access still lasts: a stream may be open for days. */
  stillMay(): Promise<boolean>
  /** Calls back after each change that may have ended its access. Returns a function that stops that. */
  onAccessChange(listener: () => void): () => void
}

/** The one who sent a request that passed its route's guard. */
export function readerOf(c: AppContext): EventReader {
  const askAgain = c.get('askAgain')
  return {
    who: whoIs(c),
    onAccessChange: c.get('onChange'),
    stillMay: () =>
      askAgain().then(
        () => true,
        () => false,
      ),
  }
}

function whoIs(c: AppContext): string {
  const principal = c.get('principal')
  if (principal) return `${principal.kind} ${principal.id}`
  const actor = c.get('actor')
  return actor ? `${actor.kind} ${actor.email ?? actor.name}` : 'visitor'
}

/** Limits how many streams are open, in all and for each reader, so that one token cannot take every place. */
export class ReaderPlaces {
  readonly #most: number
  readonly #mostOfOne: number
  readonly #taken = new Map<string, number>()
  #all = 0

  constructor(most: number, mostOfOne: number) {
    this.#most = most
    this.#mostOfOne = mostOfOne
  }

  /** Takes a place; the returned function gives it back, once. Throws `overloaded`. */
  take({ who }: EventReader): () => void {
    const own = this.#taken.get(who) ?? 0
    if (own >= this.#mostOfOne) throw this.#full(`You follow ${own} already`)
    if (this.#all >= this.#most) throw this.#full(`${this.#all} clients are following already`)
    this.#all++
    this.#taken.set(who, own + 1)
    let isLeft = false
    return () => {
      if (isLeft) return
      isLeft = true
      this.#all--
      const left = (this.#taken.get(who) ?? 1) - 1
      if (left > 0) this.#taken.set(who, left)
      else this.#taken.delete(who)
    }
  }

  #full(why: string) {
    return overloaded(`${why}. Close one of them, or ask without events.`, {
      headers: { 'Retry-After': '15' },
    })
  }
}
