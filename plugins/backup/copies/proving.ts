import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { and, asc, eq, isNull, lt, or, sql } from 'drizzle-orm'
import { diskFull } from '../../../src/http/problem.ts'
import type { Logger } from '../../../src/log.ts'
import { isDiskFull } from '../../../src/storage/disk.ts'
import { type CopyRow, copies } from '../schema.ts'
import { updateCopy } from './copies.ts'
import { type CopyParts, readInto } from './volume-copies.ts'

/** Copies that one round proves: requests and other work come between rounds. */
const mostInRound = 20

/**
 * Proves copies to work, one after another: each one once, and the newest of each instance every `everyMs`. A copy is restored
 * into a scratch folder, checked, and a runtime is started on it; see `runtime/copy/proof.ts`.
 */
export async function proveCopies(
  parts: CopyParts & {
    scratch: string
    everyMs: number
    log: Logger
    failed(copy: CopyRow, why: string): void
    /** Why the last copy could not be tried; null when it could. */
    untried(why: string | null): void
  },
  signal: AbortSignal,
): Promise<void> {
  for (const row of dueForProof(parts)) {
    if (signal.aborted) return
    try {
      await proveCopy(parts, row, signal)
    } catch (error) {
      if (isDiskFull(error)) return // The others would find no more space.
      throw error
    }
  }
}

function dueForProof({
  db,
  clock,
  everyMs,
}: { everyMs: number } & Pick<CopyParts, 'db' | 'clock'>): CopyRow[] {
  const newest = sql`${copies.createdAt} = (select max(created_at) from backup_copies as other where other.instance_id = ${copies.instanceId} and other.status = 'kept')`
  return db
    .select()
    .from(copies)
    .where(
      and(
        eq(copies.status, 'kept'),
        or(isNull(copies.triedAt), and(newest, lt(copies.triedAt, clock.now() - everyMs))),
      ),
    )
    .orderBy(asc(copies.triedAt), asc(copies.createdAt))
    .limit(mostInRound)
    .all()
}

/**
 * Proves one copy, and records what came of it. Throws `disk-full` when there is no space to unpack it: that says nothing about
 * the copy, whose record stays as it is. `seen` learns of which instance it is.
 */
export async function proveCopy(
  parts: Parameters<typeof proveCopies>[0],
  row: CopyRow,
  signal: AbortSignal,
  seen: (instanceId: string | null) => void = () => {},
): Promise<CopyRow> {
  const { db, provisioner, clock, log, scratch, failed, untried } = parts
  const folder = join(scratch, row.id)
  try {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
    await mkdir(scratch, { recursive: true, mode: 0o755 })
    await provisioner.makeFolder(folder)
    const work = { command: 'prove', folder, signal } as const
    const { proved, instanceId } = await readInto(parts, row.snapshot ?? '', work)
    seen(instanceId)
    log.info({ subdomain: row.subdomain, copy: row.id, proved }, 'a copy was proven to work')
    untried(null)
    return updateCopy(db, row.id, { provenAt: clock.now(), triedAt: clock.now(), fault: null })
  } catch (error) {
    if (signal.aborted) return row
    const why = (error as Error).message
    if (isDiskFull(error)) {
      log.warn({ err: error, subdomain: row.subdomain, copy: row.id }, 'a copy could not be tried')
      untried(why)
      throw diskFull(`The backup could not be tried, and is kept: ${why}`, { cause: error })
    }
    const failedRow = updateCopy(db, row.id, { provenAt: null, triedAt: clock.now(), fault: why })
    // An upload is no copy before it is proven: that it does not work concerns only the person who uploaded it.
    if (row.status !== 'kept') {
      log.info({ subdomain: row.subdomain, copy: row.id, why }, 'an uploaded archive does not work')
      return failedRow
    }
    log.error({ err: error, subdomain: row.subdomain, copy: row.id }, 'a copy does not work')
    failed(failedRow, why)
    return failedRow
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 3 }).catch(() => {})
  }
}

/** Deletes what proofs that were killed left behind. */
export async function clearProofs(scratch: string): Promise<void> {
  await rm(scratch, { recursive: true, force: true, maxRetries: 3 })
}
