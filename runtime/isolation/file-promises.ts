import fs from 'node:fs'

type FilePromises = typeof fs.promises

const changes: ((promises: FilePromises) => void)[] = []

/**
 * Changes `fs.promises` when something first asks for it, because loading it takes a tenth of the processor time of a run
 * that does nothing. Who loads modules calls `loadFilePromises` for those that ask for it by its own name.
 */
export function changeFilePromises(change: (promises: FilePromises) => void): void {
  if (changes.push(change) > 1) return
  const promises = Object.getOwnPropertyDescriptor(fs, 'promises') as PropertyDescriptor
  Object.defineProperty(fs, 'promises', {
    ...promises,
    get: () => {
      Object.defineProperty(fs, 'promises', promises)
      for (const each of changes.splice(0)) each(fs.promises)
      return fs.promises
    },
  })
  const { getBuiltinModule } = process
  process.getBuiltinModule = Object.defineProperties((name: string) => {
    loadFilePromises(name)
    return getBuiltinModule(name)
  }, Object.getOwnPropertyDescriptors(getBuiltinModule)) as typeof getBuiltinModule
}

/** To be called before a module of Node's is loaded by this name. */
export function loadFilePromises(name = 'fs/promises'): void {
  if (changes.length > 0 && (name === 'node:fs/promises' || name === 'fs/promises')) void fs.promises
}
