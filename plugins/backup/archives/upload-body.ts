import { PassThrough, Readable, Transform } from 'node:stream'
import { Busboy, type BusboyHeaders } from '@fastify/busboy'
import { invalidFields } from '../../../src/http/problem.ts'

const noFile = { path: 'archive', message: 'must be an archive, as it was downloaded' }
/** What a form has beside the file is short. */
const fieldBytes = 100

/** An archive that a client sends, and the fields that came before it. */
export interface Upload {
  archive: Readable
  fields: ReadonlyMap<string, string>
}

/**
 * Finds the archive in a request: the file `archive` of a form, or the whole body. It is read as it comes, and nothing is kept of it
 * here. Throws `invalid` for a form without one, or with fields that are not in `known`.
 */
export async function readUpload(request: Request, known: readonly string[]): Promise<Upload> {
  const type = request.headers.get('content-type') ?? ''
  if (!request.body) throw invalidFields([noFile])
  const body = bodyOf(request.body)
  if (!/^(multipart\/form-data|application\/x-www-form-urlencoded)\b/i.test(type))
    return { archive: body, fields: new Map() }

  const fields = new Map<string, string>()
  const found = Promise.withResolvers<Readable | null>()
  const limits = { fieldSize: fieldBytes, fields: 10, files: 1 }
  try {
    const form = new Busboy({ headers: { 'content-type': type } as BusboyHeaders, limits })
    form.on('field', (name, value) => void fields.set(name, value))
    form.on('file', (name, file) => {
      const archive = patient(new PassThrough())
      file.on('error', error => archive.destroy(error))
      file.pipe(archive)
      fields.set(name, '')
      found.resolve(archive)
    })
    form.on('finish', () => found.resolve(null))
    form.on('error', error => found.reject(error))
    // A client that goes away in the middle of the file.
    body.on('error', error => found.promise.then(archive => archive?.destroy(error)).catch(() => {}))
    body.on('error', found.reject)
    body.pipe(form)
    const archive = await found.promise
    const unknown = [...fields.keys()].filter(name => name !== 'archive' && !known.includes(name))
    const errors = unknown.map(path => ({ path, message: 'is not a field here; remove it' }))
    if (archive === null || errors.length > 0) {
      archive?.resume()
      throw invalidFields(archive === null ? [...errors, noFile] : errors)
    }
    return { archive, fields }
  } catch (error) {
    body.resume()
    if (error instanceof Error && 'code' in error) throw error
    throw invalidFields([noFile])
  }
}

/** The body of a request, as it comes. */
export function bodyOf(body: ReadableStream): Readable {
  return patient(Readable.fromWeb(body as never))
}

/**
 * Keeps the error of a stream until something reads it: a client may go away before that, and an error that nothing listens for ends
 * the program.
 */
function patient<T extends Readable>(stream: T): T {
  return stream.on('error', () => {})
}

/** Passes bytes on, up to `most`; `words` say what was too large. */
export function atMost(most: number, words: string): Transform {
  let left = most
  return new Transform({
    transform(chunk: Buffer, _, done) {
      left -= chunk.length
      if (left >= 0) done(null, chunk)
      else done(new TooLargeError(`${words} more than ${Math.floor(most / 1024 ** 2)} MiB`))
    },
  })
}

export class TooLargeError extends Error {}
