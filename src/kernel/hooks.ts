/**
 * How many plugins answer a hook: `any` number, at most one (`optional`: the asker has a default), or exactly one
 * (`required`: without it the program does not start).
 */
export type HookNeed = 'any' | 'optional' | 'required'

/** What a plugin answers to hooks. */
export type Answers<Hooks> = { [H in keyof Hooks]?: Hooks[H] }

type Named<Asks, Need extends HookNeed> = { [H in keyof Asks]: Asks[H] extends Need ? H : never }[keyof Asks]

/** What a plugin sees of the hooks that it asks. Each call throws before every plugin is set up. */
export interface HookAsker<Hooks, Asks> {
  /** Every answer, in boot order, with the plugin that gives it. */
  all<H extends Named<Asks, 'any'> & keyof Hooks>(hook: H): readonly { plugin: string; answer: Hooks[H] }[]
  /** The answer of the one plugin that has one, or null. */
  optional<H extends Named<Asks, 'optional'> & keyof Hooks>(hook: H): Hooks[H] | null
  /** The answer of the one plugin that must have one. */
  required<H extends Named<Asks, 'required'> & keyof Hooks>(hook: H): Hooks[H]
}

interface Answer {
  plugin: string
  answer: unknown
}

/** Collects who asks a hook and who answers it. */
export class HookBoard {
  readonly #asked = new Map<string, { plugin: string; need: HookNeed }>()
  readonly #answers = new Map<string, Answer[]>()
  #complete = false

  /** Notes the hooks that a plugin asks. Throws when another plugin asks one of them: a hook has one asker. */
  ask(plugin: string, asks: Readonly<Record<string, HookNeed>>): void {
    for (const [hook, need] of Object.entries(asks)) {
      const other = this.#asked.get(hook)
      if (other) throw new Error(`the hook "${hook}" is asked by "${other.plugin}" and by "${plugin}"`)
      this.#asked.set(hook, { plugin, need })
    }
  }

  answer(plugin: string, answers: Readonly<Record<string, unknown>>): void {
    for (const [hook, answer] of Object.entries(answers)) {
      if (answer !== undefined) this.#of(hook).push({ plugin, answer })
    }
  }

  /** Ends the set-up. Returns every hook that must be answered and is not, or has too many answers, in words. */
  complete(): string[] {
    this.#complete = true
    return [...this.#asked].flatMap(([hook, { plugin, need }]) => {
      const answers = this.#of(hook).map(answer => `"${answer.plugin}"`)
      if (need === 'required' && answers.length === 0)
        return [`plugin "${plugin}" asks "${hook}", and no plugin answers it`]
      if (need !== 'any' && answers.length > 1)
        return [`plugin "${plugin}" asks "${hook}", and more than one answers it: ${answers.join(', ')}`]
      return []
    })
  }

  /** The view of one plugin, which must have declared what it asks. */
  askerFor(plugin: string): HookAsker<Record<string, unknown>, Record<string, never>> {
    const answersTo = (hook: string): readonly Answer[] => {
      if (this.#asked.get(hook)?.plugin !== plugin)
        throw new Error(`plugin "${plugin}" does not declare that it asks "${hook}"`)
      if (!this.#complete) throw new Error(`"${hook}" was asked before every plugin was set up`)
      return this.#of(hook)
    }
    const one = (hook: string) => answersTo(hook)[0]?.answer ?? null
    return { all: answersTo, optional: one, required: one }
  }

  #of(hook: string): Answer[] {
    const answers = this.#answers.get(hook) ?? []
    this.#answers.set(hook, answers)
    return answers
  }
}
