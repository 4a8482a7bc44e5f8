import { extname } from 'node:path'
import { Readable } from 'node:stream'
import { defineProblem } from '../../src/http/problem.ts'
import type { AppContext } from '../../src/http/route.ts'
import type { OpenFile } from '../repo/contract.ts'

const unsatisfiable = defineProblem('range', 416, 'The file has no such part')

/**
 * The types that a browser may show of a file written by a job or uploaded by a person. All other text is served as
 * plain text, scripts and pages included; anything else is offered as a download.
 */
const shownTypes: Record<string, string> = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.gif': 'image/gif',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
  '.svg': 'image/svg+xml',
  '.mp3': 'audio/mpeg',
  '.wav': 'audio/wav',
  '.mp4': 'video/mp4',
  '.webm': 'video/webm',
  '.pdf': 'application/pdf',
  '.json': 'application/json',
}

const textTypes = new Set(
  '.txt .md .csv .tsv .log .ndjson .jsonl .yaml .yml .toml .ini .xml .html .htm .css .js .cjs .mjs .jsx .ts .cts .mts .tsx .sh .sql .env .gitignore'.split(
    ' ',
  ),
)

/** Returns the content type for a file name. */
export function rawType(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1).toLowerCase()
  const ending = extname(name) || name
  return (
    shownTypes[ending] ?? (textTypes.has(ending) ? 'text/plain; charset=utf-8' : 'application/octet-stream')
  )
}

/** True if a browser shows the file as a picture. */
export const isPicture = (path: string): boolean => rawType(path).startsWith('image/')

/** Responds with all of a file that is held in memory and never changes. */
export function answerBytes(
  c: AppContext,
  path: string,
  bytes: Buffer,
  { download }: { download: boolean },
): Response {
  const headers = { ...fileHeaders(path, { download }), 'Content-Length': String(bytes.byteLength) }
  return c.body(new Uint8Array(bytes), 200, headers)
}

function fileHeaders(path: string, { download }: { download: boolean }): Record<string, string> {
  const type = rawType(path)
  const name = path.slice(path.lastIndexOf('/') + 1)
  const asAttachment = download || type === 'application/octet-stream'
  return {
    'Content-Type': type,
    'Content-Disposition': `${asAttachment ? 'attachment' : 'inline'}; filename*=UTF-8''${encode(name)}`,
    // A compressed part would not match the offsets of the file.
    'Cache-Control': 'no-store, no-transform',
  }
}

/** Responds with a file, or with the part that `Range` asks for. */
export function answerRaw(
  c: AppContext,
  path: string,
  file: OpenFile,
  { download }: { download: boolean },
): Response {
  const headers: Record<string, string> = {
    ...fileHeaders(path, { download }),
    'Accept-Ranges': 'bytes',
    ETag: file.tag,
    'Last-Modified': new Date(file.modifiedAt).toUTCString(),
  }
  const send = (status: 200 | 206, range: { start: number; end: number } | undefined, length: number) => {
    const answer = { status, headers: { ...headers, 'Content-Length': String(length) } }
    if (c.req.method !== 'HEAD')
      return new Response(Readable.toWeb(file.read(range)) as unknown as ReadableStream, answer)
    file.close()
    return new Response(null, answer)
  }
  if (c.req.header('if-none-match') === file.tag) {
    file.close()
    return new Response(null, { status: 304, headers })
  }
  const ifRange = c.req.header('if-range')
  const asked = ifRange === undefined || ifRange === file.tag ? c.req.header('range') : undefined
  const range = rangeOf(asked, file.sizeBytes)
  if (range === null) return send(200, undefined, file.sizeBytes)
  if (range === 'none') {
    file.close()
    const words = `It has ${file.sizeBytes} bytes.`
    throw unsatisfiable(words, { headers: { 'Content-Range': `bytes */${file.sizeBytes}` } })
  }
  headers['Content-Range'] = `bytes ${range.start}-${range.end}/${file.sizeBytes}`
  return send(206, range, range.end - range.start + 1)
}

/** Parses one range of bytes (RFC 9110); null for anything answered with the whole file, such as several ranges. */
function rangeOf(header: string | undefined, size: number): { start: number; end: number } | 'none' | null {
  const [, from, to] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.replaceAll(' ', '') ?? '') ?? []
  if (from === undefined || to === undefined || (from === '' && to === '')) return null
  if (from === '') {
    const length = Math.min(Number(to), size)
    return length === 0 ? 'none' : { start: size - length, end: size - 1 }
  }
  const start = Number(from)
  const end = to === '' ? size - 1 : Math.min(Number(to), size - 1)
  if (to !== '' && Number(to) < start) return null
  return start >= size ? 'none' : { start, end }
}

/** Encodes a file name as RFC 8187 defines. */
function encode(name: string): string {
  return encodeURIComponent(name.toWellFormed()).replace(
    /['()*!]/g,
    each => `%${each.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
