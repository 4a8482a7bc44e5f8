import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { z } from 'zod'
import { flagField } from '../../src/http/json-schema.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import { badRequest, invalidFields } from '../../src/http/problem.ts'
import { type AppContext, type Route, route } from '../../src/http/route.ts'
import type { AuthService } from '../auth/contract.ts'
import type { InstanceSummary } from '../provisioner/contract.ts'
import { requestCopy, updateCopy, uploadsSince } from './copies/copies.ts'
import { archiveTooLarge, noBackups, tooManyUploads } from './problems.ts'
import type { BackupRoutes } from './routes.ts'
import type { CopyRow } from './schema.ts'
import { StoreError } from './store/store.ts'
import { atMost, readUpload, TooLargeError } from './upload-body.ts'
import { backupSchema, wireBackup } from './wire.ts'

/** An archive is written while the instance's other copies wait. */
const downloadWithinMs = 30 * 60_000
const uploadWithinMs = 4 * 3_600_000
const named = z.object({ subdomain: z.string() })

interface ArchiveRoutes extends BackupRoutes {
  auth: AuthService
  /** The largest archive that an owner may upload. */
  uploadBytes: number
}

/** Instances as archives: what their owners take with them and bring back, and what the operator brings in. */
export function archiveRoutes(parts: ArchiveRoutes): Route[] {
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
function download(
  { provisioner }: BackupRoutes,
  c: AppContext,
  { subdomain, volume }: InstanceSummary,
): Response {
  const output = new PassThrough()
  const body = output.pipe(createGzip({ level: 5 }))
  const over = new AbortController()
  body.once('close', () => over.abort())
  const signal = AbortSignal.any([over.signal, AbortSignal.timeout(downloadWithinMs)])
  provisioner
    .workOnFolder({ command: 'pack', folder: volume, options: { portable: true }, output, signal })
    .then(
      () => output.end(),
      (error: Error) => body.destroy(error),
    )
  return c.body(Readable.toWeb(body) as ReadableStream, 200, {
    'Content-Type': 'application/gzip',
    'Content-Disposition': `attachment; filename="${subdomain}.tar.gz"`,
    'Cache-Control': 'no-store',
  })
}

function uploadRoute(parts: BackupRoutes): Route {
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
      const archive = Readable.fromWeb(body as never)
      const row = await takeArchive(parts, instance, archive, { mayStill: c.get('askAgain') })
      return c.json(wireBackup(row), 201)
    },
  })
}

/** How many archives an owner may upload for one instance within a day: each is kept in the operator's store for a while. */
const uploadsADay = 5
const dayMs = 86_400_000
/** What an archive may unpack to for an instance without a limit of its own, as a multiple of what may be uploaded. */
const unpackedFactor = 10

function ownUploadRoute(parts: ArchiveRoutes): Route {
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
      const { id, desired, disk } = own.find(subdomain)
      const { archive, fields } = await readUpload(c.req.raw, ['foreign'])
      const refuse = (problem: Error): never => {
        archive.destroy()
        throw problem
      }
      if (desired === 'deleted')
        refuse(badRequest(`"${subdomain}" is removed; restore it first. Nothing was changed.`))
      if (uploadsSince(db, id, now() - dayMs) >= uploadsADay)
        refuse(
          tooManyUploads(
            `${uploadsADay} archives were uploaded for "${subdomain}" within a day. Nothing was changed. Try again tomorrow.`,
          ),
        )
      const row = await takeArchive(parts, parts.provisioner.instance(subdomain), archive, {
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

/**
 * Keeps an archive as a copy of an instance once it is proven to work. Throws in words, with nothing changed, when it is not.
 * `mayStill` is asked when it has arrived, and rejects if the client has lost its access meanwhile.
 */
async function takeArchive(
  parts: BackupRoutes,
  instance: InstanceSummary,
  archive: Readable,
  { mayStill, rules = null }: { mayStill: () => Promise<void>; rules?: OwnersRules | null },
): Promise<CopyRow> {
  const { db, store, now, prove } = parts
  const opened = await store.ready().catch(error => {
    archive.destroy()
    throw rules ? away() : error
  })
  // For no operation, and never made by the maker: it has its own key, and is `kept` or `failed` at the end.
  const row = requestCopy(db, instance, 'upload', now(), `upload ${crypto.randomUUID()}`)
  updateCopy(db, row.id, { status: 'failed', error: 'the upload was interrupted' })
  const tags = { copy: row.id, instance: instance.id, name: instance.subdomain, reason: 'upload', image: '' }
  const signal = AbortSignal.timeout(uploadWithinMs)
  const limits = rules ?? { uploadBytes: Number.POSITIVE_INFINITY, unpackedBytes: Number.POSITIVE_INFINITY }
  const write = (output: NodeJS.WritableStream) =>
    pipeline(
      archive,
      atMost(limits.uploadBytes, 'the archive has'),
      createGunzip(),
      atMost(limits.unpackedBytes, 'unpacked, the archive has'),
      output,
      { end: false, signal },
    )
  let kept: Awaited<ReturnType<typeof opened.put>>
  try {
    kept = await opened.put(tags, write, signal)
  } catch (error) {
    const why = (error as Error).message
    updateCopy(db, row.id, { error: why })
    if (rules && error instanceof StoreError) throw away()
    if (error instanceof TooLargeError) throw archiveTooLarge(`${why}. Nothing was changed.`)
    throw badRequest(`The archive could not be read: ${why}. Nothing was changed.`)
  }
  await mayStill().catch((error: Error) => {
    updateCopy(db, row.id, { status: 'forgotten', snapshot: kept.snapshot, error: error.message })
    throw error
  })
  let identity: string | null = null
  const proven = await prove({ ...row, ...kept }, seen => {
    identity = seen
  }).catch((error: Error) => {
    // There was no space to try it.
    updateCopy(db, row.id, { status: 'forgotten', snapshot: kept.snapshot, error: error.message })
    throw rules ? away() : error
  })
  const isForeign = rules !== null && !rules.isForeignToo && identity !== null && identity !== instance.id
  const fault = proven.fault ?? (isForeign ? `it is of another instance (${identity})` : null)
  if (fault !== null) {
    updateCopy(db, row.id, { status: 'forgotten', snapshot: kept.snapshot, error: fault })
    if (proven.fault === null)
      throw invalidFields([
        { path: 'foreign', message: `must be true to bring in an archive of another instance (${identity})` },
      ])
    throw badRequest(`The archive does not work: ${fault}. Nothing was changed.`)
  }
  return updateCopy(db, row.id, { ...kept, status: 'kept', error: null })
}

function away(): Error {
  return noBackups(
    'Archives cannot be taken in now. Nothing was changed. Try again later, or ask the operator.',
  )
}
