import Module, { isBuiltin, syncBuiltinESMExports } from 'node:module'

/** Tells whether a reading that found modules linked ahead went as without. */
export interface Guard {
  /** Call it when a module that was linked ahead is imported, or one of Node's own. */
  imported(url: string): void
  isIntact(): boolean
}

/**
 * Code of the repo can change how modules are loaded that come later: by hooks, by giving up permissions, and by replacing
 * what Node's own modules export before they are first imported. `builtins` are those that were imported ahead, by name.
 */
export function guardLinked(builtins: ReadonlyMap<string, object>): Guard {
  let intact = true
  const noted = (holder: object, name: string) => {
    const original = Reflect.get(holder, name) as (...args: unknown[]) => unknown
    const noting = function (this: unknown, ...args: unknown[]) {
      intact = false
      return original.apply(this, args)
    }
    Reflect.set(holder, name, Object.defineProperties(noting, Object.getOwnPropertyDescriptors(original)))
  }
  noted(Module, 'register')
  noted(Module, 'registerHooks')
  if (process.permission) noted(process.permission, 'drop')
  // Linked modules were bound to what was there before.
  syncBuiltinESMExports()
  const exported = new Map([...builtins].map(([name, module]) => [name, exportsOf(module)]))
  return {
    // Node looks at a module of its own when that is first imported, and so does this.
    imported: url => {
      for (const name of isBuiltin(url) ? [url] : builtins.keys()) {
        intact &&= exported.get(name)?.every(({ module, key, value }) => isSame(module, key, value)) ?? true
        exported.delete(name)
      }
    },
    isIntact: () => intact,
  }
}

function exportsOf(module: object): { module: object; key: string; value: unknown }[] {
  return Object.keys(module).map(key => ({ module, key, value: Reflect.get(module, key) as unknown }))
}

const isSame = (module: object, key: string, value: unknown) => Object.is(Reflect.get(module, key), value)
