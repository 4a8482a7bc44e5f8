/** What the manifest hands on without needing it: a function that is loaded when it is called. */
type Func = (...given: never[]) => unknown
type Later = Func & { [key]?: () => Promise<Func> }

const key = Symbol.for('longhouse.later')

/** How the manifest names, in place of an import, what it does not need for itself. */
export const laterName = 'globalThis[Symbol.for("longhouse.later")]'

/** Makes `laterName` known to the modules of this process. */
export function offerLater(): void {
  Reflect.set(globalThis, key, (load: () => Promise<Record<string, Func>>, name: string): Later => {
    const loaded = async (): Promise<Func> => (await load())[name] as Func
    const later: Later = async (...given) => (await loaded())(...given)
    return Object.defineProperty(later, key, { value: loaded })
  })
}

/** The function itself, so that a stack shows no other. */
export async function loadLater(func: Func): Promise<Func> {
  return (await (func as Later)[key]?.()) ?? func
}
