import { z } from 'zod'
import { timestamp } from '../../src/clock.ts'
import {
  changeKinds,
  type JobsDifference,
  type ManifestState,
  manifestStatuses,
  manifestWaits,
} from './manifest-state.ts'

const time = z.iso.datetime()

export const differenceShape = z
  .object({
    added: z.int(),
    removed: z.int(),
    changed: z.int(),
    jobs: z
      .array(
        z.object({
          id: z.string(),
          kind: z.enum(changeKinds),
          fields: z.array(z.string()),
          cron: z.string(),
          timezone: z.string(),
          next_run_at: time.nullable(),
        }),
      )
      .meta({ description: 'The first hundred of them' }),
  })
  .meta({ id: 'Difference' })

export const manifestErrorShape = z
  .object({
    file: z.string().nullable(),
    line: z.int().nullable(),
    column: z.int().nullable(),
    message: z.string(),
  })
  .meta({ id: 'ManifestError' })

export const manifestShape = z
  .object({
    status: z.enum(manifestStatuses),
    commit: z.string().nullable().meta({ description: 'Of the set that runs now: the last good one' }),
    loaded_at: time.nullable(),
    errors: z.array(manifestErrorShape),
    waiting_for: z
      .enum(manifestWaits)
      .nullable()
      .meta({ description: 'What stands between the files and the set that runs, when it is no mistake' }),
    next_try_at: time.nullable().meta({
      description: 'While it waits for the registry, when the packages are installed again by themselves',
    }),
    difference: differenceShape.nullable().meta({
      description: 'What the last load changed; while it waits for a confirmation, what it would change',
    }),
  })
  .meta({ id: 'Manifest' })

export function manifestJson(manifest: ManifestState): z.input<typeof manifestShape> {
  const { status, commit, loadedAt, errors, waitingFor, nextTryAt, difference } = manifest
  return {
    status,
    commit,
    loaded_at: timestamp(loadedAt),
    errors,
    waiting_for: waitingFor,
    next_try_at: timestamp(nextTryAt),
    difference: difference && differenceJson(difference),
  }
}

export function differenceJson(difference: JobsDifference): z.input<typeof differenceShape> {
  const jobs = difference.jobs.map(({ nextRunAt, ...job }) => ({ ...job, next_run_at: timestamp(nextRunAt) }))
  return { ...difference, jobs }
}
