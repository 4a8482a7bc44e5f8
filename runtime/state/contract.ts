import type { StateStore } from './state.ts'

export type { StateEntry } from './state.ts'

/** What jobs remember from run to run. */
export type StateService = Omit<StateStore, 'close'>

declare module '../../src/kernel/runtime.ts' {
  interface Services {
    state: StateService
  }
  interface Hooks {
    /** Throws the Problem `unknown-job` for the id of a job that is not registered and never was. */
    'require-job': (id: string) => void
  }
}
