import type { KeptPackages } from './wire.ts'

export type { PackagesError } from './files/fault.ts'
export { keptPackagesJson, keptPackagesShape } from './wire.ts'

/** The packages that the jobs repo's `package.json` asks for. */
export interface PackagesState extends KeptPackages {
  /** `none` when it asks for nothing that jobs need. */
  status: 'none' | 'installed' | 'installing' | 'failed'
  /** What was run for the last installation since boot; null when there was none. */
  command: string | null
  startedAt: number | null
  finishedAt: number | null
  /** The end of what it printed. */
  output: string
  /** Why it failed, and what to do. */
  error: string | null
  /** Where in the repo that is; null when it did not fail. */
  place: { file: string; line: number | null } | null
  /** It failed for the network or the registry: nothing in the files has to change. */
  offline: boolean
  /** When what failed is tried again by itself; null when it is not. */
  nextTryAt: number | null
}
/** The packages that the jobs repo asks for. */
export interface Packages {
  state(): PackagesState
  /** True when something must be installed before the files can be compiled. Throws a `PackagesError`. */
  missing(): boolean
  /**
   * Installs what is missing; throws a `PackagesError` when that fails. What failed once fails again until it changes, or
   * until `claimRetry` or `clearFailure` lets it be tried again.
   */
  ensure(): Promise<void>
  /** Throws a `PackagesError` when the files of this folder do not say clearly which packages they need. */
  checkFiles(folder: string): void
  /** True once when what failed for the network is due to be tried again; `ensure` then does. */
  claimRetry(): boolean
  /** Aborts the installation in progress if the files now ask for other packages. */
  cancelStale(): void
  /** A person's word: `ensure` tries again what failed, and may replace what npm has left unfinished in the repo. */
  clearFailure(): void
  /** Removes the installations that are neither current nor in use. Does nothing during an installation. */
  prune(): Promise<void>
}

declare module '../../src/kernel/runtime.ts' {
  interface Services {
    packages: Packages
  }
  interface Hooks {
    /** Called after each installation, which led `node_modules` to other packages. */
    'after-installation': () => void
    /** Names of the installations that the live set, or a run that has not ended, was loaded with. */
    'packages-in-use': () => Iterable<string>
  }
}
