import { syncBuiltinESMExports } from 'node:module'

declare const BUNDLED: boolean | undefined
const bundled = typeof BUNDLED !== 'undefined' && BUNDLED

/**
 * Has modules see what was replaced in Node's own ones. Call it before the first module of a job is loaded. In a bundle,
 * which requires Node's modules, nothing has imported one yet: who does later finds what was replaced, and looking
 * through all of them takes longer than a small job.
 */
export function showToModules(): void {
  if (!bundled) syncBuiltinESMExports()
}
