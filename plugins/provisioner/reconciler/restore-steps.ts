import type { CopyReason, OperationKind } from '../contract.ts'
import { DriverError } from '../driver.ts'
import type { StepName } from '../records/plan.ts'
import {
  clearFresh,
  clearRestore,
  isFetched,
  isWaiting,
  markFetched,
  putBack,
  restoreFolders,
  swapIn,
} from '../volumes/restored.ts'
import { VolumeError, type VolumeSight, volumeFault } from '../volumes/volume.ts'
import { type StepContext, whileAlone } from './step-context.ts'
import { carryOver, swapKept } from './upgrade-steps.ts'

type RestoreStep = Extract<StepName, 'copy data' | 'fetch copy' | 'swap volume' | 'put back data'>

/** What the steps do that make copies and bring them back. Each may be run again from its beginning. */
export const restoreSteps: Readonly<Record<RestoreStep, (step: StepContext) => Promise<string | undefined>>> =
  {
    'copy data': async step => {
      const { spec, operation, copies, look, volume, dataRoot, signal } = step
      if (!copies) return 'no backups are made'
      const folders = restoreFolders(dataRoot, spec.id)
      if ((await isFetched(folders, operation.id)) && !(await isWaiting(folders)))
        return 'done before the swap'
      const sight = await look(spec.volume)
      if (!isOwn(sight, volume.id)) return 'there are no data of its own'
      const reason = reasons[operation.kind] ?? 'demand'
      try {
        return await copies.keep({ instance: spec, operationId: operation.id, reason, signal })
      } catch (error) {
        const isDecided = operation.kind === 'purge' && step.volume.removal?.withoutCopyAt
        if (signal.aborted || !isDecided) throw error
        return `deleted without a backup, as the operator decided: ${(error as Error).message}`
      }
    },
    'fetch copy': async step => {
      const { spec, operation, copies, driver, dataRoot, signal } = step
      const { copyId } = operation
      if (!copies || copyId === null)
        throw new DriverError('there is nothing to restore from: no backups are made', { permanent: true })
      const folders = restoreFolders(dataRoot, spec.id)
      if (await isFetched(folders, operation.id)) return 'fetched before'
      await clearFresh(dataRoot, spec)
      await driver.prepareVolume({ ...spec, volume: folders.fresh })
      try {
        const words = await copies.unpack({
          copyId,
          isChosen: operation.actorKind !== null,
          folder: folders.fresh,
          signal,
        })
        await markFetched(folders, spec.id, operation.id)
        return words
      } catch (error) {
        // It may be what fills the disk.
        await clearRestore(folders).catch(() => {})
        throw error
      }
    },
    'swap volume': whileAlone(async step => {
      if (step.operation.kind === 'rollback') return await swapKept(step)
      const { spec, driver, dataRoot, look, volume, workImage, holdJobs, signal } = step
      const folders = restoreFolders(dataRoot, spec.id)
      if (await isWaiting(folders)) {
        const fault = volumeFault(volume, spec.volume, await look(spec.volume))
        if (fault?.kind === 'foreign') throw new VolumeError(fault, { permanent: true })
        await driver.refuseInUse({ ...spec, volume: folders.fresh })
        const options = { now: step.now(), hold: holdJobs, quiet: false }
        await driver.workOnFolder({
          command: 'settle',
          folder: folders.fresh,
          options,
          image: workImage,
          signal,
        })
        await swapIn(dataRoot, spec.subdomain, folders)
      }
      step.volumeRestored()
      return holdJobs ? 'its jobs are off: the instance that it is a copy of runs them' : undefined
    }),
    // The restored data may have run jobs: the previous ones learn of it, unless the restored ones cannot even be read.
    'put back data': whileAlone(async step => {
      const { spec, dataRoot } = step
      const folders = restoreFolders(dataRoot, spec.id)
      let unread = ''
      const carry = () =>
        carryOver(step, folders.base).catch((error: unknown) => {
          if (error instanceof DriverError && error.transient) throw error
          unread = `; their due times could not be carried over: ${(error as Error).message}`
        })
      const back = await putBack(dataRoot, spec.subdomain, folders, carry)
      return back ? `the previous data are back${unread}` : 'the data had not been replaced'
    }),
  }

const reasons: Partial<Record<OperationKind, CopyReason>> = {
  upgrade: 'upgrade',
  restore: 'restore',
  rollback: 'restore',
  purge: 'purge',
  transfer: 'transfer',
}

function isOwn(sight: VolumeSight, instanceId: string): boolean {
  return sight.kind === 'unmarked' || (sight.kind === 'marked' && sight.id === instanceId)
}
