import { z } from 'zod'
import { timestamp } from '../../src/clock.ts'
import { Problem } from '../../src/http/problem.ts'
import { type AppContext, type Route, route } from '../../src/http/route.ts'
import {
  differenceJson,
  differenceShape,
  manifestErrorShape,
  manifestJson,
  manifestShape,
} from '../jobs/contract.ts'
import { largestFileBytes, type RepoFile, uneditable } from '../repo/contract.ts'
import { authorOf } from '../web/author.ts'
import { within } from '../web/within.ts'
import type { FilesWeb } from './files-web.ts'
import { answerRaw } from './raw-answer.ts'

export const fileParams = z.object({
  path: z.string().meta({ description: 'Path in the jobs repo, such as `jobs/report.ts`' }),
})

const hash = z.string('must be the hash that the file had when you read it').meta({
  description: 'Hash of the content that you edited; if the file has changed since, the request is refused',
})

/** `?raw`, and `?raw=true` for tools that insist on a value. */
export const flag = z.enum(['', '1', 'true'], 'must be true, or have no value')

export const messageField = z
  .string('must be text')
  .trim()
  .max(200, 'must be at most 200 characters')
  .meta({ description: 'Commit message' })

export const contentField = z.string('must be the text of the file')

export const bodyLimitBytes = 4 * 1024 * 1024

const fileShape = z.object({ path: z.string(), content: z.string(), hash: z.string() })
const savedShape = z.object({ file: fileShape.omit({ content: true }), manifest: manifestShape })

/** Routes of the jobs repo's files, for editors outside the repo. */
export function fileRoutes(web: FilesWeb): Route[] {
  return [listFiles(web), readFile(web), saveFile(web), deleteFile(web), renameFile(web), checkFile(web)]
}

const listFiles = (web: FilesWeb) =>
  route({
    method: 'get',
    path: '/api/jobs/repo/files',
    summary: 'All files of the jobs repo, except .git and installed packages',
    guard: web.access.signedIn,
    answers: {
      200: {
        description: 'The files, by path',
        schema: z.object({
          files: z.array(
            z.object({
              path: z.string(),
              size_bytes: z.number(),
              modified_at: z.iso.datetime(),
              editable: z.boolean(),
            }),
          ),
          more: z.boolean().meta({ description: 'True when there are more files than are listed' }),
        }),
      },
    },
    handle: c => {
      const { files, more } = web.repo.files.list()
      return c.json({
        files: files.map(({ path, sizeBytes, modifiedAt, editable }) => ({
          path,
          size_bytes: sizeBytes,
          modified_at: timestamp(Math.floor(modifiedAt)),
          editable,
        })),
        more,
      })
    },
  })

const readFile = (web: FilesWeb) =>
  route({
    method: 'get',
    path: '/api/jobs/repo/files/{path...}',
    summary:
      'A text file of the jobs repo with its hash; with `raw`, the bytes of any file, `Range` included',
    guard: web.access.signedIn,
    params: fileParams,
    query: z.object({
      raw: flag.optional().meta({ description: 'Answer with the bytes of the file' }),
      download: flag.optional().meta({ description: 'With `raw`: answer with an attachment' }),
    }),
    answers: {
      200: { description: 'The file', schema: fileShape },
      206: { description: 'With `raw` and `Range`: the requested range', type: 'application/octet-stream' },
      404: { description: 'No such file' },
      415: { description: 'Not a text file; use `raw` to read it' },
      416: { description: 'The file has no such range' },
    },
    handle: (c, { params: { path }, query: { raw, download } }) =>
      raw === undefined
        ? c.json(readText(web, path))
        : answerRaw(c, path, web.repo.rawFiles.open(path), { download: download !== undefined }),
  })

const saveFile = (web: FilesWeb) =>
  route({
    method: 'put',
    path: '/api/jobs/repo/files/{path...}',
    summary: 'Save a text file; answers when the change has gone live, failed to load, or has to wait',
    guard: web.access.signedIn,
    params: fileParams,
    body: z.strictObject({
      content: contentField,
      hash: hash.nullable().optional().meta({
        description:
          'Hash of the content that you edited; if the file has changed since, nothing is saved. null for a new file',
      }),
      message: messageField.default(''),
    }),
    limitBytes: bodyLimitBytes,
    answers: {
      200: { description: 'Saved; `manifest` says whether the change is live', schema: savedShape },
      409: { description: 'The file has changed since; nothing was saved' },
    },
    handle: async (c, { params: { path }, body }) => {
      let saved: RepoFile | undefined
      const manifest = await edit(web, c, body.message, () => {
        saved = web.repo.files.write(path, body.content, body.hash)
      })
      return c.json({ file: { path, hash: saved?.hash }, manifest: manifestJson(manifest) })
    },
  })

const deleteFile = (web: FilesWeb) =>
  route({
    method: 'delete',
    path: '/api/jobs/repo/files/{path...}',
    summary: 'Delete a file',
    guard: web.access.signedIn,
    params: fileParams,
    query: z.object({ hash: hash.optional(), message: messageField.default('') }),
    answers: {
      200: { description: 'Deleted', schema: z.object({ manifest: manifestShape }) },
      404: { description: 'No such file' },
    },
    handle: async (c, { params: { path }, query }) => {
      const manifest = await edit(web, c, query.message, () => web.repo.files.remove(path, query.hash), {
        frees: true,
      })
      return c.json({ manifest: manifestJson(manifest) })
    },
  })

const renameFile = (web: FilesWeb) =>
  route({
    method: 'post',
    path: '/api/jobs/repo/rename',
    summary: 'Rename or move a file',
    guard: web.access.signedIn,
    body: z.strictObject({
      from: z.string('must be the path of the file'),
      to: z.string('must be its new path'),
      message: messageField.default(''),
    }),
    answers: {
      200: { description: 'Renamed', schema: z.object({ manifest: manifestShape }) },
      409: { description: 'A file has the new name already' },
    },
    handle: async (c, { body: { from, to, message } }) => {
      c.set('about', `${from} to ${to}`)
      const manifest = await edit(web, c, message, () => web.repo.files.rename(from, to))
      return c.json({ manifest: manifestJson(manifest) })
    },
  })

const checkFile = (web: FilesWeb) =>
  route({
    method: 'post',
    path: '/api/jobs/repo/check',
    summary: 'Check a file without saving it',
    guard: web.access.signedIn,
    body: z.strictObject({ path: z.string('must be the path of the file'), content: contentField }),
    limitBytes: bodyLimitBytes,
    answers: {
      200: {
        description: 'The errors, or the jobs that the change would affect',
        schema: z.object({
          errors: z.array(manifestErrorShape),
          difference: differenceShape.nullable(),
          used: z.boolean().meta({ description: 'False when the manifest does not import the file' }),
        }),
      },
    },
    handle: async (c, { body }) => {
      c.set('about', null)
      const { errors, difference, used } = await web.jobs.edits.check(body.path, body.content)
      return c.json({ errors, difference: difference && differenceJson(difference), used })
    },
  })

/** Makes a change and waits for the load that follows, as long as a response may take. */
async function edit(
  { jobs, address, patience }: FilesWeb,
  c: AppContext,
  message: string,
  change: () => void,
  { frees = false } = {},
) {
  const words = { message, by: authorOf(c, address), frees }
  return (await within(patience.apiMs, jobs.edits.edit(words, change))) ?? jobs.manifest.state()
}

/** Returns the text of a file. Refuses other files, and says how to get them. */
function readText({ repo }: FilesWeb, path: string): RepoFile {
  try {
    return repo.files.read(path)
  } catch (error) {
    if (!(error instanceof Problem) || (error.status !== 415 && error.status !== 413)) throw error
    repo.rawFiles.open(path).close()
    throw uneditable(
      `"${path}" is not a text file of at most ${largestFileBytes / 1024} KiB. Use ?raw to read it.`,
    )
  }
}
