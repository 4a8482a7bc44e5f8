import { AsyncLocalStorage } from 'node:async_hooks'
import { DriverError } from '../../plugins/provisioner/driver.ts'
import type { StepContext, StepRuns } from '../../plugins/provisioner/reconciler/step-context.ts'
import { forever, watchEffects } from './effects.fixture.ts'

/** What an instance's operation of one kind meets in one life of the program. */
export interface Trap {
  kind: string
  /** The point at which it is held for ever: the program is killed meanwhile. */
  holdAt?: string
  /** The step that fails once it has done its work. */
  failAfter?: string
}

/** What the program reports: each point that an operation passes, and those at which it is held. */
export interface Passed {
  subdomain: string
  point: string
  held: boolean
}

interface Place {
  subdomain: string
  kind: string
  step: string
  /**
   * How often each effect was seen. Counted one by one: which of two that happen at the same time comes first differs. Of those that there
   * may be as many of as the volume has files, only the first one is a point.
   */
  seen: Map<string, number>
}

/**
 * Everything that a step does to the world outside of the database is a point at which the program may be killed: a file that is
 * moved, a program that has ended, a request that the engine has carried out. They are found where Node offers them, so a step that does
 * something new has its points without a change here.
 */
export class Points {
  readonly #at = new AsyncLocalStorage<Place>()
  readonly #held = new Set<string>()
  readonly #traps: () => Readonly<Record<string, Trap>>
  readonly #passed: (passed: Passed) => void

  constructor(traps: () => Readonly<Record<string, Trap>>, passed: (passed: Passed) => void) {
    this.#traps = traps
    this.#passed = passed
  }

  /** The steps with a point before and after each. */
  around(runs: StepRuns): StepRuns {
    const wrapped = Object.entries(runs).map(([name, run]) => [name, this.#step(name, run)] as const)
    return Object.fromEntries(wrapped) as unknown as StepRuns
  }

  #step(name: string, run: StepRuns[keyof StepRuns]) {
    return async (context: StepContext): Promise<string | undefined> => {
      const { subdomain } = context.spec
      const step = `${context.undoing ? 'undo: ' : ''}${name}`
      const { kind } = context.operation
      const place: Place = { subdomain, kind, step, seen: new Map() }
      await this.#point(place, 'begins')
      const words = await this.#at.run(place, () => run(context))
      await this.#point(place, 'has done its work')
      const trap = this.#traps()[subdomain]
      if (trap?.kind === kind && trap.failAfter === step)
        throw new DriverError('the test has it fail', { permanent: true })
      return words
    }
  }

  async #point(place: Place, what: string): Promise<void> {
    if (this.#isHeld(place, what)) await forever()
  }

  #isHeld({ subdomain, kind, step }: Place, what: string): boolean {
    if (this.#held.has(subdomain)) return true
    const point = `${step}, ${what}`
    const trap = this.#traps()[subdomain]
    const held = trap?.kind === kind && trap.holdAt === point
    if (held) this.#held.add(subdomain)
    this.#passed({ subdomain, point, held })
    return held
  }

  /** Names an effect of the step in progress; null outside of steps, and for further ones of a kind that there may be many of. */
  #effect(what: string, { many = false } = {}): (() => boolean) | null {
    const place = this.#at.getStore()
    if (!place || (many && place.seen.has(what))) return null
    const nth = (place.seen.get(what) ?? 0) + 1
    place.seen.set(what, nth)
    const words = nth === 1 ? `after ${what}` : `after ${what}, ${nth}`
    return () => this.#isHeld(place, words)
  }

  /** Has Node report what steps do. Call it before anything else is imported. */
  watch(): void {
    watchEffects({
      begins: (what, options) => this.#effect(what, options),
      splits: () => this.#at.getStore() !== undefined,
    })
  }
}
