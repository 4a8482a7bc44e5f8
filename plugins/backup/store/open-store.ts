import { noBackups } from '../problems.ts'
import { type Store, StoreError } from './store.ts'

/** A store that is opened when it is first needed, and again after it could not be. */
export interface OpenStore {
  address: string
  /** Throws a StoreError when it cannot be reached. */
  ready(): Promise<Store>
  /** Why it could not be reached the last time, in words; null when it could, or was not asked yet. */
  fault(): string | null
  /** Whether nothing can be done about it but by the operator: restic is not installed. */
  missing(): boolean
  /** Throws `no-backups` when the last try failed. */
  require(): void
}

/** `fault` is what is known to be wrong with it already. */
export function openStore(store: Store, inUse: () => boolean, known: StoreError | null): OpenStore {
  let opening: Promise<Store> | null = null
  let fault = known
  return {
    address: store.address,
    ready: () => {
      opening ??= store.open({ inUse: inUse() }).then(
        () => {
          fault = null
          return store
        },
        (error: unknown) => {
          opening = null
          fault = error instanceof StoreError ? error : new StoreError((error as Error).message)
          throw fault
        },
      )
      return opening
    },
    fault: () => fault?.message ?? null,
    missing: () => fault?.missing ?? false,
    require: () => {
      if (fault) throw noBackups(`${fault.message}. Nothing was changed.`)
    },
  }
}
