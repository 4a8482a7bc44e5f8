import { isBuiltin } from 'node:module'
import type { ModuleWatch } from '../../modules/serve.ts'
import { type Guard, guardLinked } from './guard.ts'
import type { Linked } from './linked.ts'
import { LoadedPackages } from './loaded-packages.ts'

/** Watches what a reading loads, with modules that were linked ahead or without. */
export interface Loading extends ModuleWatch {
  /** Call it when nothing of the repo has run, and everything of ours is in place. */
  begin(): void
  /** Whether everything was loaded as without what was linked ahead. */
  isIntact(): boolean
  /** Addresses of modules that the next reader may link ahead. */
  linkable(): string[]
}

export function watchLoading(packages: string | null, linked: Linked | null): Loading {
  const isLinked = (url: string) => linked?.has(url) ?? false
  const loads = new LoadedPackages(packages, isLinked)
  let guard: Guard | null = null
  return {
    resolved: (url, parentURL) => {
      if (isLinked(url) || isBuiltin(url)) guard?.imported(url)
      loads.resolved(url, parentURL)
    },
    loaded: (url, format) => loads.loaded(url, format),
    begin: () => {
      guard = linked && guardLinked(linked.builtins)
    },
    isIntact: () => guard?.isIntact() ?? true,
    linkable: () => loads.linkable(),
  }
}
