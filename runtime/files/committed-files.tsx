import { z } from 'zod'
import { Problem } from '../../src/http/problem.ts'
import { type Route, route } from '../../src/http/route.ts'
import { CommittedFilePage } from '../../views/instance/repo/committed-file-page.tsx'
import {
  type CommittedFile,
  largestCommittedBytes,
  largestFileBytes,
  uneditable,
  unknownFile,
} from '../repo/contract.ts'
import { show } from '../web/show.ts'
import { place } from './editor.tsx'
import { fileParams, flag } from './file-routes.ts'
import type { FilesWeb } from './files-web.ts'
import { commitId } from './history.tsx'
import { answerBytes, rawType } from './raw-answer.ts'

const params = fileParams.extend({ commit: commitId })

/** Files as they were in a commit: what a run was pinned to stays readable when the file has changed. */
export function committedFileRoutes(web: FilesWeb): Route[] {
  const { repo } = web
  const { signedIn: guard } = web.access
  const find = async (commit: string, path: string): Promise<CommittedFile> => {
    const found = await repo.history.file(commit, path)
    if (!found) throw unknownFile(`There is no file "${path}" in the commit ${commit.slice(0, 7)}.`)
    return found
  }

  return [
    route({
      method: 'get',
      path: '/api/jobs/repo/commits/{commit}/files/{path...}',
      summary: 'A text file as it was in a commit; with `raw`, the bytes of any file',
      guard,
      params,
      query: z.object({
        raw: flag.optional().meta({ description: 'Answer with the bytes of the file' }),
        download: flag.optional().meta({ description: 'With `raw`: answer with an attachment' }),
      }),
      answers: {
        200: {
          description: 'The file',
          schema: z.object({ commit: z.string(), path: z.string(), content: z.string() }),
        },
        404: { description: 'No such commit, or no such file in it' },
        415: { description: 'Not a text file, or a large one' },
      },
      handle: async (c, { params: { commit, path }, query: { raw, download } }) => {
        const file = await find(commit, path)
        if (raw !== undefined && file.content !== null)
          return answerBytes(c, path, file.content, { download: download !== undefined })
        const content = raw === undefined ? textOf(file) : null
        if (content === null) throw uneditable(whyNot(path, file))
        return c.json({ commit, path, content })
      },
    }),

    route({
      method: 'get',
      path: '/repo/history/{commit}/files/{path...}',
      summary: 'A file as it was in a commit, with a line highlighted',
      guard,
      pageOnly: true,
      params,
      query: z.object({ line: place.optional(), column: place.optional() }),
      answers: { 200: { description: 'A page', type: 'text/html' } },
      handle: async (c, { params: { commit, path }, query: { line, column } }) => {
        const file = await find(commit, path)
        const content = (
          <CommittedFilePage
            {...{ commit, path }}
            sizeBytes={file.sizeBytes}
            link={file.link}
            text={textOf(file)}
            type={rawType(path)}
            current={currentOf(web, path, file)}
            at={line === undefined ? null : { line, column: column ?? null }}
          />
        )
        return show(c, content, { title: path, current: '/repo' })
      },
    }),
  ]
}

/** Null for a file that is not shown as text. */
function textOf({ content }: CommittedFile): string | null {
  if (content === null || content.byteLength > largestFileBytes || content.includes(0)) return null
  return content.toString('utf8')
}

function whyNot(path: string, { content }: CommittedFile): string {
  return content === null
    ? `"${path}" has more than ${largestCommittedBytes / 1024 / 1024} MiB in this commit. Use git for it.`
    : `"${path}" is not a text file of at most ${largestFileBytes / 1024} KiB. Use ?raw to read it.`
}

/** What has become of the file since. */
function currentOf(
  { repo }: FilesWeb,
  path: string,
  file: CommittedFile,
): 'same' | 'changed' | 'gone' | null {
  try {
    return repo.files.read(path).content === file.content?.toString('utf8') ? 'same' : 'changed'
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    // What cannot be edited is not compared.
    return error.code === unknownFile.code ? 'gone' : null
  }
}
