import type { OperationKind } from '../contract.ts'
import { DriverError } from '../driver.ts'
import type { StepName } from '../records/plan.ts'
import { bringAlong, fetchKept, isKept, keepData, unkeep } from '../volumes/kept.ts'
import {
  clearRestore,
  deleteReplaced,
  isFetched,
  isWaiting,
  markFetched,
  moveAside,
  putBack,
  restoreFolders,
  swapIn,
} from '../volumes/restored.ts'
import { VolumeError, volumeFault } from '../volumes/volume.ts'
import { type StepContext, whileAlone } from './step-context.ts'

type UpgradeStep = Extract<
  StepName,
  'hold requests' | 'keep data' | 'fetch kept data' | 'put back image and data' | 'delete previous data'
>

/** The reason that clients get when their streams and WebSockets end. */
const pauses: Partial<Record<OperationKind, string>> = {
  upgrade: 'The instance is being upgraded',
  rollback: 'The instance goes back to its previous version',
}

/** What the steps do that upgrade an instance and go back. Each may be run again from its beginning. */
export const upgradeSteps: Readonly<Record<UpgradeStep, (step: StepContext) => Promise<string | undefined>>> =
  {
    // Its record keeps the address until it is known to be stopped: if it cannot be, it is routed again.
    'hold requests': async ({ spec, operation, router }) => {
      const reason = pauses[operation.kind] ?? 'The instance is restarting'
      router.set(spec.subdomain, { state: 'starting', instanceId: spec.id, reason })
      return undefined
    },
    'keep data': async ({ spec, operation, dataRoot, driver }) => {
      await driver.refuseRunning(spec)
      return await keepData(dataRoot, spec, operation.id)
    },
    'fetch kept data': async ({ spec, operation, rollback, dataRoot }) => {
      const folders = restoreFolders(dataRoot, spec.id)
      if (await isFetched(folders, operation.id)) return 'fetched before'
      if (!rollback || !(await isKept(dataRoot, spec.id, rollback.operationId)))
        throw new DriverError('the data of before the upgrade are no longer kept', { permanent: true })
      try {
        const { files } = await fetchKept(dataRoot, spec)
        await markFetched(folders, spec.id, operation.id)
        return `${files} files`
      } catch (error) {
        // It may be what fills the disk.
        await clearRestore(folders).catch(() => {})
        throw error
      }
    },
    'put back image and data': whileAlone(async step => {
      const { spec, operation, dataRoot } = step
      const folders = restoreFolders(dataRoot, spec.id)
      if (operation.kind === 'upgrade') await unkeep(dataRoot, spec.id, operation.id)
      const back = await putBack(dataRoot, spec.subdomain, folders, () => carryOver(step, folders.base))
      await bringAlong(dataRoot, spec.subdomain, folders)
      step.spec = { ...spec, ...step.putBackImage() }
      return back ? `${step.spec.image}, with its data` : `${step.spec.image}; the data had not been changed`
    }),
    // The mark of what was fetched stays until the operation has ended: one that is killed here must not swap again, over what was
    // written since. It fails no operation that is done, and what cannot be deleted now is deleted later.
    'delete previous data': async ({ spec, dataRoot }) =>
      await deleteReplaced(restoreFolders(dataRoot, spec.id)).then(
        () => undefined,
        (error: Error) => `some of it is left, and deleted later: ${error.message}`,
      ),
  }

/**
 * Swaps in the data of before an upgrade. What happened since is not in them, and must not happen twice: due times that were
 * decided since are carried over, messages that were waiting are not sent, and everyone is signed out.
 */
export async function swapKept(step: StepContext): Promise<string | undefined> {
  const { spec, driver, dataRoot, look, volume, workImage, signal } = step
  const folders = restoreFolders(dataRoot, spec.id)
  if (await isWaiting(folders)) {
    const fault = volumeFault(volume, spec.volume, await look(spec.volume))
    if (fault?.kind === 'foreign') throw new VolumeError(fault, { permanent: true })
    await driver.refuseInUse({ ...spec, volume: folders.fresh })
    await moveAside(dataRoot, spec.subdomain, folders)
    const settle = { now: step.now(), hold: false, quiet: false }
    const options = { from: 'previous', to: 'fresh', settle }
    await driver.workOnFolder({ command: 'carry', folder: folders.base, options, image: workImage, signal })
    await swapIn(dataRoot, spec.subdomain, folders)
  }
  await bringAlong(dataRoot, spec.subdomain, folders)
  return undefined
}

/** What is taken back may have run jobs: the data of before learn of it. */
export async function carryOver({ driver, workImage, signal }: StepContext, base: string): Promise<void> {
  const options = { from: 'fresh', to: 'previous' }
  await driver.workOnFolder({ command: 'carry', folder: base, options, image: workImage, signal })
}
