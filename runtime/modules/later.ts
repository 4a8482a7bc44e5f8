/** What the manifest hands on without needing it: in place of a function or parameters, a function that loads them. */
type Func = (...given: never[]) => unknown
type Later = Func & { [key]?: () => Promise<unknown> }

const key = Symbol.for('longhouse.later')

/** How the manifest names, in place of an import, what it does not need for itself. */
export const laterName = 'globalThis[Symbol.for("longhouse.later")]'

/** Makes `laterName` known to the modules of this process. */
export function offerLater(): void {
  Reflect.set(globalThis, key, (load: () => Promise<Record<string, unknown>>, name: string): Later => {
    const loaded = async () => (await load())[name]
    const later: Later = async (...given) => ((await loaded()) as Func)(...given)
    return Object.defineProperty(later, key, { value: loaded })
  })
}

/** What was handed on, loaded: the function itself, so that a stack shows no other. Any other value stays as it is. */
export async function loadLater(value: unknown): Promise<unknown> {
  const load = typeof value === 'function' ? (value as Later)[key] : undefined
  return load ? await load() : value
}
