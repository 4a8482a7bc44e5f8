/**
 * How many plugins may answer a hook: `any` number, at most one (`optional`: the caller has a default), or exactly
 * one (`required`: without it the program does not start).
 */
export type HookNeed = 'any' | 'optional' | 'required'

/** A plugin's answers to hooks. */
export type Answers<Hooks> = { [H in keyof Hooks]?: Hooks[H] }

type Named<Asks, Need extends HookNeed> = { [H in keyof Asks]: Asks[H] extends Need ? H : never }[keyof Asks]

/** The hooks that a plugin may call. Each call throws until every plugin is set up. */
export interface HookAsker<Hooks, Asks> {
  /** Every answer in boot order, each with its plugin. */
  all<H extends Named<Asks, 'any'> & keyof Hooks>(hook: H): readonly { plugin: string; answer: Hooks[H] }[]
  /** The only plugin's answer, or null. */
  optional<H extends Named<Asks, 'optional'> & keyof Hooks>(hook: H): Hooks[H] | null
  /** The only plugin's answer. */
  required<H extends Named<Asks, 'required'> & keyof Hooks>(hook: H): Hooks[H]
}

interface Answer {
  plugin: string
  answer: unknown
}

/** Records which plugin calls a hook and which plugins answer it. */
export class HookBoard {
  readonly #asked = new Map<string, { plugin: string; need: HookNeed }>()
  readonly #answers = new Map<string, Answer[]>()
  #complete = false

  /** Registers the hooks that a plugin calls. Throws if another plugin calls one of them: a hook has one caller. */
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

  /** Ends the set-up. Returns a message for every required hook without an answer, and for every hook with too many. */
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

  /** The hooks of one plugin, which must have declared them. */
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
