import type { ManifestError } from '../../manifest/manifest-error.ts'
import type { PackagesError, PackagesState } from '../../packages/contract.ts'
import type { JobsDifference, ManifestState } from '../contract.ts'
import { isEmpty } from './difference.ts'
import type { LiveSet } from './live-set.ts'
import type { Tree } from './tree.ts'

/** What the loader knows about the files. It changes only by the functions below. */
export interface LoadState {
  status: ManifestState['status']
  errors: ManifestError[]
  waitingFor: ManifestState['waitingFor']
  /** The files as they were when they were last loaded or refused. */
  seen: Tree | null
  /** The files that the live set was compiled from; null when this process did not compile it. */
  compiled: ReadonlySet<string> | null
  /** What the last load changed, if it changed something. */
  difference: JobsDifference | null
  /** What the last load changed that changed something. */
  lastChange: JobsDifference | null
  /** A set of jobs that waits for a confirmation. */
  unconfirmed: { build: string; difference: JobsDifference } | null
  /** The build that was confirmed last. */
  confirmed: string | null
}

export const initialState: LoadState = {
  status: 'loading',
  errors: [],
  waitingFor: null,
  seen: null,
  compiled: null,
  difference: null,
  lastChange: null,
  unconfirmed: null,
  confirmed: null,
}

/** The live set is what the files say. */
export function upToDate(state: LoadState, seen: Tree): LoadState {
  return { ...state, seen, status: 'ok', errors: [], waitingFor: null, unconfirmed: null }
}

/** A new set of jobs went live. */
export function wentLive(
  state: LoadState,
  seen: Tree,
  { inputs, difference }: { inputs: readonly string[]; difference: JobsDifference | null },
): LoadState {
  const change = difference && !isEmpty(difference) ? difference : null
  // Files that are read again are still what went live the first time.
  const same = state.status === 'ok' && state.seen?.stamp === seen.stamp
  return {
    ...upToDate(state, seen),
    compiled: new Set(inputs),
    difference: change ?? (same ? state.difference : null),
    lastChange: change ?? state.lastChange,
  }
}

/** A load that is not at its end, or ended before something went live. */
const nothingLive = { status: 'error', unconfirmed: null, difference: null } as const

/** The files have errors; the live set stays. */
export function refused(
  state: LoadState,
  seen: Tree,
  errors: ManifestError[],
  waitingFor: ManifestState['waitingFor'] = null,
): LoadState {
  return { ...state, ...nothingLive, seen, errors, waitingFor }
}

/** The files register no jobs any more; the live set stays until a person confirms that. */
export function heldBack(
  state: LoadState,
  seen: Tree,
  { build, difference, before }: { build: string; difference: JobsDifference; before: number },
): LoadState {
  return {
    ...refused(state, seen, [nothingLeft(before)], 'confirmation'),
    unconfirmed: { build, difference },
  }
}

/** A person confirmed the set that was held back. */
export function confirmed(state: LoadState): LoadState {
  return { ...state, confirmed: state.unconfirmed?.build ?? state.confirmed }
}

/** The packages of the files are being installed. */
export function installing(state: LoadState): LoadState {
  const message = 'its packages are being installed; the change goes live when they are in'
  return { ...state, ...nothingLive, errors: [packagesError(message)], waitingFor: 'packages' }
}

/** The files changed every time they were read. */
export function changedTooOften(state: LoadState): LoadState {
  const message = 'files of the jobs repo changed again and again while they were loaded'
  return { ...state, ...nothingLive, errors: [anywhere(message)] }
}

/** The load itself failed. */
export function failed(state: LoadState, error: Error): LoadState {
  return {
    ...state,
    ...nothingLive,
    errors: [anywhere(`loading failed: ${error.message}`)],
    waitingFor: null,
  }
}

/** Returns the state as other features see it. */
export function manifestState(
  { status, errors, waitingFor, unconfirmed, difference, lastChange }: LoadState,
  live: LiveSet | null,
  packages: () => Pick<PackagesState, 'nextTryAt'>,
): ManifestState {
  return {
    status,
    errors,
    waitingFor,
    nextTryAt: waitingFor === 'registry' ? packages().nextTryAt : null,
    difference: unconfirmed?.difference ?? difference,
    lastChange,
    commit: live?.commit ?? null,
    loadedAt: live?.loadedAt ?? null,
  }
}

export function anywhere(message: string): ManifestError {
  return { file: null, line: null, column: null, message }
}

export function packagesError(
  message: string,
  { file = 'package.json', line = null }: Partial<PackagesError> = {},
): ManifestError {
  return { file, line, column: null, message }
}

function nothingLeft(jobs: number): ManifestError {
  const message = `no longer registers any jobs, where there ${jobs === 1 ? 'was one' : `were ${jobs}`}; the change waits until you confirm it`
  return { file: 'manifest.ts', line: null, column: null, message }
}
