import type { StateStore } from './state.ts'

export type { StateEntry } from './state.ts'

/** State that jobs keep between runs. */
export type StateService = Omit<StateStore, 'close'>

declare module '../../src/kernel/runtime.ts' {
  interface Services {
    state: StateService
  }
  interface Hooks {
    /** Throws the Problem `unknown-job` for an id that was never registered. */
    'require-job': (id: string) => void
  }
}
