import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { z } from 'zod'
import { flagField } from '../../src/http/json-schema.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import { badRequest, diskFull, invalidFields } from '../../src/http/problem.ts'
import { type AppContext, type Route, route } from '../../src/http/route.ts'
import { isDiskFull } from '../../src/storage/disk.ts'
import type { AuthService } from '../auth/contract.ts'
import type { InstanceSummary } from '../provisioner/contract.ts'
import { Spool } from './archives/spool.ts'
import { atMost, bodyOf, readUpload, TooLargeError } from './archives/upload-body.ts'
import { requestCopy, updateCopy, uploadsSince } from './copies/copies.ts'
import { archiveTooLarge, backupFailed, noBackups, tooManyDownloads, tooManyUploads } from './problems.ts'
import type { BackupRoutes } from './routes.ts'
import type { CopyRow } from './schema.ts'
import { type Store, StoreError } from './store/store.ts'
import { backupSchema, wireBackup } from './wire.ts'

/** An archive is written while the instance's other copies wait. How slowly it is fetched does not count. */
const packWithinMs = 30 * 60_000
const fetchWithinMs = 4 * 3_600_000
const uploadWithinMs = 4 * 3_600_000
/** Archives of one instance that are fetched at the same time: each takes space on the disk. */
const downloadsAtOnce = 2
const named = z.object({ subdomain: z.string() })

interface ArchiveRoutes extends BackupRoutes {
  auth: AuthService
  /** The largest archive that an owner may upload. */
  uploadBytes: number
  /** The folder of the control plane's own files. */
  control: string
  /** Where copies are tried. */
  scratch: string
}

interface ArchiveParts extends ArchiveRoutes {
  spool: Spool
  /** How many archives of an instance are being fetched. */
  downloads: Map<string, number>
}

/** Instances as archives: what their owners take with them and bring back, and what the operator brings in. */
export function archiveRoutes(given: ArchiveRoutes): Route[] {
  const parts: ArchiveParts = {
    ...given,
    spool: new Spool(join(given.control, 'archives')),
    downloads: new Map(),
  }
  const { auth, provisioner } = parts
  const answers = { 200: { description: 'The archive', type: 'application/gzip' } }
  return [
    route({
      method: 'get',
      path: '/instances/{subdomain}/archive',
      summary: 'Download everything of an instance as one archive: jobs, history, runs, logs, state',
      guard: auth.account,
      params: named,
      answers,
      handle: (c, { params }) => {
        // Throws for what is not theirs.
        provisioner.owned(auth.accountOf(c)).find(params.subdomain)
        return download(parts, c, parts.provisioner.instance(params.subdomain))
      },
    }),
    route({
      method: 'get',
      path: '/admin/instances/{subdomain}/archive',
      summary: 'Download everything of an instance as one archive, for its owner',
      guard: auth.admin,
      role: 'own',
      params: named,
      answers,
      handle: (c, { params }) => download(parts, c, parts.provisioner.instance(params.subdomain)),
    }),
    uploadRoute(parts),
    ownUploadRoute(parts),
  ]
}

/** Sends the archive as it is written. A download that breaks off is a gzip file without its end. */
async function download(
  { provisioner, maker, spool, downloads }: ArchiveParts,
  c: AppContext,
  { id, subdomain, volume }: InstanceSummary,
): Promise<Response> {
  await maker.requireOwn(volume, id).catch((error: Error) => {
    throw notOwn(subdomain, error)
  })
  const going = downloads.get(id) ?? 0
  if (going >= downloadsAtOnce)
    throw tooManyDownloads(
      `${going} archives of "${subdomain}" are being downloaded. Nothing was changed. Try again when one is complete.`,
    )
  downloads.set(id, going + 1)
  const isOver = () => {
    const left = (downloads.get(id) ?? 1) - 1
    if (left === 0) downloads.delete(id)
    else downloads.set(id, left)
  }
  const body = await spool.between().catch(error => {
    isOver()
    throw error
  })
  body.once('close', isOver)
  const output = new PassThrough()
  const over = new AbortController()
  body.once('close', () => over.abort())
  const timer = setTimeout(() => body.destroy(new Error('it was fetched too slowly')), fetchWithinMs).unref()
  body.once('close', () => clearTimeout(timer))
  // The body ends with the error.
  pipeline(output, createGzip({ level: 5 }), body).catch(() => {})
  const signal = AbortSignal.any([over.signal, AbortSignal.timeout(packWithinMs)])
  provisioner
    .workOnFolder({ command: 'pack', folder: volume, options: { portable: true }, output, signal })
    .then(
      report => {
        // Another folder may stand there only since the look.
        const packed = (report as { instanceId?: string | null }).instanceId ?? id
        if (packed === id) output.end()
        else output.destroy(notOwn(subdomain))
      },
      (error: Error) => output.destroy(error),
    )
  return c.body(Readable.toWeb(body) as ReadableStream, 200, {
    'Content-Type': 'application/gzip',
    'Content-Disposition': `attachment; filename="${subdomain}.tar.gz"`,
    'Cache-Control': 'no-store',
  })
}

function notOwn(subdomain: string, cause?: Error): Error {
  return noBackups(`The data of "${subdomain}" are not in their place. The operator can put them back.`, {
    cause,
  })
}

function uploadRoute(parts: ArchiveParts): Route {
  return route({
    method: 'post',
    path: '/admin/instances/{subdomain}/backups',
    summary:
      'Upload an archive as a backup of an instance, which can then be restored. It is proven to work before it counts',
    guard: parts.admin,
    role: 'operate',
    params: named,
    rawBody: 'An archive, as `GET …/archive` answers it',
    answers: { 201: { description: 'The backup, which works', schema: backupSchema } },
    handle: async (c, { params }) => {
      const instance = parts.provisioner.instance(params.subdomain)
      const body = c.req.raw.body
      if (!body) throw badRequest('The body must be an archive, as GET …/archive answers it.')
      const archive = bodyOf(body)
      const store = await parts.store.ready().catch(error => {
        archive.destroy()
        throw error
      })
      const row = beginUpload(parts, instance)
      const upload = { row, instance, archive, store }
      return c.json(wireBackup(await takeArchive(parts, upload, { mayStill: c.get('askAgain') })), 201)
    },
  })
}

/** How many archives an owner may upload for one instance within a day: each is kept in the operator's store for a while. */
const uploadsADay = 5
const dayMs = 86_400_000
/** What an archive may unpack to for an instance without a limit of its own, as a multiple of what may be uploaded. */
const unpackedFactor = 10

function ownUploadRoute(parts: ArchiveParts): Route {
  const { auth, provisioner, db, now, uploadBytes } = parts
  return route({
    method: 'post',
    path: '/instances/{subdomain}/archive',
    summary:
      'Bring an archive back: it is checked and proven to work, the data that the instance has now are copied, and those of the archive take their place',
    guard: auth.account,
    params: named,
    query: z.object({ foreign: flagField() }),
    rawBody:
      'An archive, as `GET …/archive` answers it; or a form with it as the file `archive`. `foreign=true` takes one of another instance',
    answers: {
      202: { description: 'The restore has started', schema: z.object({ backup: z.string() }) },
      303: { description: 'For a browser: back to the page' },
    },
    handle: async (c, { params: { subdomain }, query }) => {
      const own = provisioner.owned(auth.accountOf(c))
      // Throws for what is not theirs.
      own.find(subdomain)
      const { archive, fields } = await readUpload(c.req.raw, ['foreign'])
      const refuse = (problem: Error): never => {
        archive.destroy()
        throw problem
      }
      const store = await parts.store.ready().catch(() => refuse(away()))
      const { id, desired, disk } = own.find(subdomain)
      if (desired === 'deleted')
        refuse(badRequest(`"${subdomain}" is removed; restore it first. Nothing was changed.`))
      // Nothing is awaited from here to the record: those that are sent at the same time count each.
      if (uploadsSince(db, id, now() - dayMs) >= uploadsADay)
        refuse(
          tooManyUploads(
            `${uploadsADay} archives were uploaded for "${subdomain}" within a day. Nothing was changed. Try again tomorrow.`,
          ),
        )
      const instance = parts.provisioner.instance(subdomain)
      const row = beginUpload(parts, instance)
      const upload = { row, instance, archive, store }
      await takeArchive(parts, upload, {
        mayStill: c.get('askAgain'),
        rules: {
          uploadBytes,
          unpackedBytes: disk.limitBytes ?? uploadBytes * unpackedFactor,
          isForeignToo: query.foreign || fields.has('foreign'),
        },
      })
      await c.get('askAgain')()
      // It may have been transferred meanwhile.
      provisioner.owned(auth.accountOf(c)).restoreCopy(subdomain, row.id)
      if (wantsPage(c)) return c.redirect(`/instances/${subdomain}`, 303)
      return c.json({ backup: row.id }, 202)
    },
  })
}

/** What holds for archives of owners, who see no details of the host. */
interface OwnersRules {
  uploadBytes: number
  unpackedBytes: number
  /** Whether an archive of another instance is taken as well. */
  isForeignToo: boolean
}

interface UploadedArchive {
  row: CopyRow
  instance: InstanceSummary
  archive: Readable
  store: Store
}

/** Records that an archive arrives. It is for no operation, and never made by the maker: it is `kept` or `failed` at the end. */
function beginUpload({ db, now }: ArchiveRoutes, instance: InstanceSummary): CopyRow {
  const row = requestCopy(db, instance, 'upload', now(), `upload ${crypto.randomUUID()}`)
  return updateCopy(db, row.id, { status: 'failed', error: 'the upload was interrupted' })
}

/**
 * Keeps an archive as a copy of an instance once it is proven to work. Throws in words, with nothing changed, when it is not.
 *
 * 1. Receive it on the disk: nothing waits for its client.
 * 2. Ask `mayStill`, which rejects if the client has lost its access meanwhile.
 * 3. Write it to the store, and prove it from there.
 */
async function takeArchive(
  parts: ArchiveParts,
  { row, instance, archive, store }: UploadedArchive,
  { mayStill, rules = null }: { mayStill: () => Promise<void>; rules?: OwnersRules | null },
): Promise<CopyRow> {
  const { db, spool, prove } = parts
  const tags = { copy: row.id, instance: instance.id, name: instance.subdomain, reason: 'upload', image: '' }
  const signal = AbortSignal.timeout(uploadWithinMs)
  const limits = rules ?? { uploadBytes: Number.POSITIVE_INFINITY, unpackedBytes: Number.POSITIVE_INFINITY }
  const refused = (error: Error) => {
    updateCopy(db, row.id, { error: error.message })
    return refusal(error, rules !== null)
  }
  const bounded = atMost(limits.uploadBytes, 'the archive has')
  const feeding = pipeline(archive, bounded, { signal })
  feeding.catch(() => {})
  const received = await spool.receive(bounded, signal).catch(async (error: Error) => {
    // What the client did says more than that its stream ended.
    const cause = await feeding.then(
      () => error,
      (failure: Error) => failure,
    )
    throw refused(isDiskFull(error) ? error : cause)
  })
  let kept: Awaited<ReturnType<Store['put']>>
  try {
    await mayStill().catch((error: Error) => {
      updateCopy(db, row.id, { error: error.message })
      throw error
    })
    // It may be called again: while another program has locked the store, it is tried anew.
    const write = (output: NodeJS.WritableStream) =>
      pipeline(
        received.read(),
        createGunzip(),
        atMost(limits.unpackedBytes, 'unpacked, the archive has'),
        output,
        { end: false, signal },
      )
    kept = await store.put(tags, write, signal).catch((error: Error) => {
      throw refused(error)
    })
  } finally {
    await received.close()
  }
  let identity: string | null = null
  const proven = await prove({ ...row, ...kept }, seen => {
    identity = seen
  }).catch((error: Error) => {
    // There was no space to try it.
    updateCopy(db, row.id, { status: 'forgotten', snapshot: kept.snapshot, error: error.message })
    throw rules ? away() : error
  })
  const isForeign = rules !== null && !rules.isForeignToo && identity !== instance.id
  if (proven.fault === null && !isForeign)
    return updateCopy(db, row.id, { ...kept, status: 'kept', error: null })
  const whose =
    identity === null ? 'that does not say of which instance it is' : `of another instance (${identity})`
  const error = proven.fault ?? `it is one ${whose}`
  updateCopy(db, row.id, { status: 'forgotten', snapshot: kept.snapshot, error })
  if (proven.fault === null)
    throw invalidFields([{ path: 'foreign', message: `must be true to bring in an archive ${whose}` }])
  const words = rules ? withoutPlaces(proven.fault, parts.scratch) : proven.fault
  throw badRequest(`The archive does not work: ${words}. Nothing was changed.`)
}

/** Why an archive was not taken in. Owners see no details of the host. */
function refusal(error: Error, isForOwner: boolean): Error {
  const why = error.message
  if (error instanceof TooLargeError) return archiveTooLarge(`${why}. Nothing was changed.`)
  const isOurs = error instanceof StoreError || isDiskFull(error)
  if (!isOurs) return badRequest(`The archive could not be read: ${why}. Nothing was changed.`)
  if (isForOwner) return away()
  return isDiskFull(error)
    ? diskFull(`The archive could not be taken in: ${why}. Nothing was changed.`)
    : backupFailed(`${why}. Nothing was changed.`)
}

/** What was found about an archive, without the folder of the host that it was tried in. */
function withoutPlaces(fault: string, scratch: string): string {
  const begin = `could not prove ${scratch}/`
  const words = fault.startsWith(begin) ? fault.slice(fault.indexOf(': ', begin.length) + 2) : fault
  return words.replaceAll(new RegExp(`${RegExp.escape(scratch)}/[^/\\s]*/?`, 'g'), '')
}

function away(): Error {
  return noBackups(
    'Archives cannot be taken in now. Nothing was changed. Try again later, or ask the operator.',
  )
}
