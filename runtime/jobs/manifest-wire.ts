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
          fields: z.array(z.string()).meta({ description: 'The fields of a changed job that differ' }),
          cron: z.string(),
          timezone: z.string(),
          next_run_at: time.nullable(),
        }),
      )
      .meta({ description: 'At most the first hundred of these jobs' }),
  })
  .meta({ id: 'Difference', description: 'The jobs that a change adds, removes and changes' })

export const manifestErrorShape = z
  .object({
    file: z.string().nullable(),
    line: z.int().nullable(),
    column: z.int().nullable(),
    message: z.string(),
  })
  .meta({
    id: 'ManifestError',
    description: 'An error in the manifest or a file it imports; lines and columns count from 1',
  })

export const manifestShape = z
  .object({
    status: z.enum(manifestStatuses).meta({
      description: '`error` while the last change is not live; `loading` until the first load after a start',
    }),
    commit: z
      .string()
      .nullable()
      .meta({ description: 'The commit of the jobs that run now: the last one that loaded' }),
    loaded_at: time.nullable().meta({ description: 'When these jobs were loaded' }),
    errors: z.array(manifestErrorShape),
    waiting_for: z
      .enum(manifestWaits)
      .nullable()
      .meta({ description: 'What the last change waits for, when it has no errors' }),
    next_try_at: time.nullable().meta({
      description: 'While the registry cannot be reached: when the installation is retried',
    }),
    difference: differenceShape.nullable().meta({
      description: 'The jobs that the last change affected, or would affect once it is confirmed',
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
