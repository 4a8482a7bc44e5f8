import { noBackups } from '../problems.ts'
import { howToInstall } from './restic.ts'
import { type Store, StoreError } from './store.ts'

/** A store that is opened when it is first needed, and again after it could not be. */
export interface OpenStore {
  address: string
  /** Throws a StoreError when it cannot be reached. */
  ready(): Promise<Store>
  /** Why the last thing that was asked of it failed, in words; null when it did not, or nothing was asked yet. */
  fault(): string | null
  /** Whether nothing can be done about it but by the operator: restic is not installed. */
  missing(): boolean
  /** Asks it anew whether it can be reached. */
  answers(): Promise<boolean>
  /** Throws `no-backups` when the last thing that was asked of it failed. */
  require(): void
}

/** `fault` is what is known to be wrong with it already, in words. A program that is installed later is found. */
export function openStore(
  store: Store,
  { inUse, fault: known, isInstalled }: { inUse(): boolean; fault: string | null; isInstalled(): boolean },
): OpenStore {
  const faultOf = (words: string | null) => (words === null ? null : new StoreError(words))
  let opening: Promise<Store> | null = null
  let fault = isInstalled() ? faultOf(known) : new StoreError(howToInstall, { missing: true })
  const now = () => {
    if (fault?.missing && isInstalled()) fault = faultOf(known)
    return fault
  }
  const answers = async () =>
    await store.open({ inUse: true }).then(
      () => true,
      () => false,
    )
  const watched = watch(store, {
    failed: error => {
      fault = error
      // It is looked for anew: it may have been moved, or be another one by now.
      opening = null
    },
    worked: () => {
      fault = null
    },
    answers,
  })
  return {
    address: store.address,
    ready: () => {
      opening ??= store.open({ inUse: inUse() }).then(
        () => {
          fault = null
          return watched
        },
        (error: unknown) => {
          opening = null
          fault = error instanceof StoreError ? error : new StoreError((error as Error).message)
          throw fault
        },
      )
      return opening
    },
    fault: () => now()?.message ?? null,
    missing: () => now()?.missing ?? false,
    answers,
    require: () => {
      const words = now()?.message
      if (words !== undefined) throw noBackups(`${words}. Nothing was changed.`)
    },
  }
}

/** Notes of everything that is asked of a store how it ended. Work that was given up says nothing about the store. */
function watch(
  store: Store,
  notes: { failed(error: StoreError): void; worked(): void; answers(): Promise<boolean> },
): Store {
  const noted = async <T>(work: Promise<T>, signal?: AbortSignal): Promise<T> => {
    try {
      const result = await work
      notes.worked()
      return result
    } catch (error) {
      if (error instanceof StoreError && !signal?.aborted) notes.failed(error)
      throw error
    }
  }
  return {
    address: store.address,
    open: options => noted(store.open(options)),
    put: (tags, write, signal) => noted(store.put(tags, write, signal), signal),
    read: async (snapshot, output, signal) => {
      try {
        await store.read(snapshot, output, signal)
        notes.worked()
      } catch (error) {
        // A copy that cannot be read from a store that answers is a fault of the copy.
        if (error instanceof StoreError && !signal.aborted && !(await notes.answers())) notes.failed(error)
        throw error
      }
    },
    list: () => noted(store.list()),
    forget: (instanceId, snapshots) => noted(store.forget(instanceId, snapshots)),
    prune: () => noted(store.prune()),
  }
}
