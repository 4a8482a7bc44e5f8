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
  path: z.string().meta({ description: 'Relative to the repo, with slashes: `jobs/report.ts`' }),
})

const hash = z
  .string('must be the hash that the file had when you read it')
  .meta({ description: 'Of the content that the change was made from; a file that changed meanwhile stays' })

/** `?raw`, and for those whose tools insist on a value `?raw=true`. */
const flag = z.enum(['', '1', 'true'], 'must be true, or have no value')

export const messageField = z
  .string('must be text')
  .trim()
  .max(200, 'must be at most 200 characters')
  .meta({ description: 'For the commit' })

export const contentField = z.string('must be the text of the file')

export const bodyLimitBytes = 4 * 1024 * 1024

const fileShape = z.object({ path: z.string(), content: z.string(), hash: z.string() })
const savedShape = z.object({ file: fileShape.omit({ content: true }), manifest: manifestShape })

/** The files of the jobs repo, for editors outside. */
export function fileRoutes(web: FilesWeb): Route[] {
  return [listFiles(web), readFile(web), saveFile(web), deleteFile(web), renameFile(web), checkFile(web)]
}

const listFiles = (web: FilesWeb) =>
  route({
    method: 'get',
    path: '/api/jobs/repo/files',
    summary: 'The files of the jobs repo, without .git and packages',
    guard: web.access.signedIn,
    answers: {
      200: {
        description: 'By path',
        schema: z.object({
          files: z.array(
            z.object({
              path: z.string(),
              size_bytes: z.number(),
              modified_at: z.iso.datetime(),
              editable: z.boolean(),
            }),
          ),
          more: z.boolean().meta({ description: 'There are more than are listed' }),
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
      'A file of the jobs repo: text with its hash; with `raw` the bytes of any file, or a part of them by `Range`',
    guard: web.access.signedIn,
    params: fileParams,
    query: z.object({
      raw: flag.optional().meta({ description: 'Its bytes' }),
      download: flag.optional().meta({ description: 'With `raw`: as an attachment' }),
    }),
    answers: {
      200: { description: 'It', schema: fileShape },
      206: { description: 'With `raw` and `Range`: the part', type: 'application/octet-stream' },
      404: { description: 'There is none' },
      415: { description: 'It is no text; ask for it with `raw`' },
      416: { description: 'It has no such part' },
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
    summary: 'Save a file; answers when the change is live, refused or waiting',
    guard: web.access.signedIn,
    params: fileParams,
    body: z.strictObject({
      content: contentField,
      hash: hash.nullable().optional().meta({ description: 'null: the file must be new' }),
      message: messageField.default(''),
    }),
    limitBytes: bodyLimitBytes,
    answers: {
      200: { description: 'Saved; `manifest` says what became of it', schema: savedShape },
      409: { description: 'The file was changed meanwhile; nothing was saved' },
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
      404: { description: 'There is none' },
    },
    handle: async (c, { params: { path }, query }) => {
      const manifest = await edit(web, c, query.message, () => web.repo.files.remove(path, query.hash))
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
      409: { description: 'There is a file of the new name' },
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
        description: 'Its errors, or the difference of jobs',
        schema: z.object({
          errors: z.array(manifestErrorShape),
          difference: differenceShape.nullable(),
          used: z.boolean().meta({ description: 'false: the manifest does not import the file' }),
        }),
      },
    },
    handle: async (c, { body }) => {
      c.set('about', null)
      const { errors, difference, used } = await web.jobs.edits.check(body.path, body.content)
      return c.json({ errors, difference: difference && differenceJson(difference), used })
    },
  })

/** Makes a change and waits for the load that follows, for as long as an answer may take. */
async function edit(
  { jobs, address, patience }: FilesWeb,
  c: AppContext,
  message: string,
  change: () => void,
) {
  const words = { message, by: authorOf(c, address) }
  return (await within(patience.apiMs, jobs.edits.edit(words, change))) ?? jobs.manifest.state()
}

/** The text of a file. Refuses other files, and says how to get them. */
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
