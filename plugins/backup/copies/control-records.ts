import { createReadStream } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import Database from 'better-sqlite3'
import { desc, inArray } from 'drizzle-orm'
import type { Clock } from '../../../src/clock.ts'
import { serial } from '../../../src/concurrency.ts'
import { newId } from '../../../src/ids.ts'
import { controlCopies } from '../schema.ts'
import type { OpenStore } from '../store/open-store.ts'
import type { BackupDb } from './copies.ts'

const allPages = 0x7fff_ffff
/** Copies of one day; older ones are thinned out to one a day. */
const dayMs = 86_400_000

interface RecordsParts {
  db: BackupDb
  store: OpenStore
  clock: Clock
  /** `<data root>/.control` */
  folder: string
}

/** How old the newest copy of the records may get. */
const everyMs = 3_600_000

/** Copies the control plane's own database into the store, one copy after the other. */
export function recordsCopier(parts: RecordsParts) {
  const { db, clock } = parts
  const inOrder = serial()
  const startedAt = clock.now()
  return {
    copy: (signal: AbortSignal) => inOrder(() => copyRecords(parts, signal)),
    /** Does nothing when the newest copy is recent, or the program was only started for a moment. */
    copyIfDue: (signal: AbortSignal) =>
      inOrder(async () => {
        // Looked up in turn: another copy may just have been made.
        const since = clock.now() - (recordsCopiedAt(db) ?? startedAt)
        if (since >= everyMs) await copyRecords(parts, signal)
      }),
  }
}

/** The database's keys are not in the copy: they stay apart, with the operator; see docs/operate/backups.md. */
async function copyRecords(
  { db, store, clock, folder }: RecordsParts,
  signal: AbortSignal,
): Promise<{ createdAt: number; bytes: number }> {
  const createdAt = clock.now()
  const id = newId('copy', createdAt)
  const draft = join(folder, `${draftPrefix}-${id}`)
  try {
    const source = new Database(join(folder, 'longhouse.db'), { readonly: true, timeout: 30_000 })
    try {
      await source.backup(draft, { progress: () => allPages })
    } finally {
      source.close()
    }
    // An empty file is a whole database too.
    instancesIn(draft)
    const opened = await store.ready()
    const { snapshot, bytes } = await opened.put(
      null,
      async output => await pipeline(createReadStream(draft), output, { end: false }),
      signal,
    )
    db.insert(controlCopies).values({ id, createdAt, snapshot, bytes }).run()
    return { createdAt, bytes }
  } finally {
    await rm(draft, { force: true })
  }
}

/** Where the records are copied to before the store takes them: a program that was killed leaves it behind. */
const draftPrefix = 'longhouse.db.copy'

/** Deletes what copies of the records that were killed left in `<data root>/.control`. */
export async function clearDrafts(folder: string): Promise<void> {
  const left = (await readdir(folder)).filter(name => name.startsWith(draftPrefix))
  for (const name of left) await rm(join(folder, name), { force: true })
}

/**
 * The instances in a copy of the records whose volumes are kept. The table is another plugin's: it is read only to tell whether a
 * copy is whole, and before any plugin runs. Throws when it is not there.
 */
export function instancesIn(file: string): string[] {
  // A reader that may not write would leave files beside it.
  const database = new Database(file, { fileMustExist: true })
  try {
    return database
      .prepare<[], string>(
        'select id from provisioner_instances where purged_at is null and ready_at is not null',
      )
      .pluck()
      .all()
  } finally {
    database.close()
  }
}

/** When the records were copied last; null when they were not. */
function recordsCopiedAt(db: BackupDb): number | null {
  const newest = db
    .select()
    .from(controlCopies)
    .orderBy(desc(controlCopies.createdAt), desc(controlCopies.id))
    .limit(1)
    .get()
  return newest?.createdAt ?? null
}

/** Deletes copies of the records that are no longer needed: of each day before the last, all but the newest. */
export async function forgetRecords(
  db: BackupDb,
  store: OpenStore,
  { now, forMs }: { now: number; forMs: number },
): Promise<number> {
  const all = db
    .select()
    .from(controlCopies)
    .orderBy(desc(controlCopies.createdAt), desc(controlCopies.id))
    .all()
  const days = new Set<number>()
  const outdated = all.filter(({ createdAt }, index) => {
    if (index === 0 || now - createdAt < dayMs) return false
    const day = Math.floor(createdAt / dayMs)
    if (now - createdAt <= forMs && !days.has(day)) {
      days.add(day)
      return false
    }
    return true
  })
  if (outdated.length === 0) return 0
  await (await store.ready()).forget(
    null,
    outdated.map(({ snapshot }) => snapshot),
  )
  db.delete(controlCopies)
    .where(
      inArray(
        controlCopies.id,
        outdated.map(({ id }) => id),
      ),
    )
    .run()
  return outdated.length
}
