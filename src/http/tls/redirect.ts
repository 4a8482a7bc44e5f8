import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { hostForm } from '../address.ts'
import { refusalParts } from '../listener/raw-refusal.ts'
import { hasBody } from '../listener/stall.ts'
import { badRequest, notFound, type Problem } from '../problem.ts'

export interface RedirectOptions {
  /** The port that people's HTTPS goes to. */
  httpsPort(): number
  /** A folder of answers to a certificate authority's challenges, each in a file with its token's name; null for none. */
  challenges: string | null
  /** Serves a request that needs no HTTPS; false leaves it to the redirect. */
  serve(request: IncomingMessage, response: ServerResponse): boolean
}

const challengePath = '/.well-known/acme-challenge/'
const tokenForm = /^[A-Za-z0-9_-]{1,128}$/

/** Answers what comes over plain HTTP when the site is served over HTTPS: sends it there, to the same host, path and query. */
export function redirectToHttps(options: RedirectOptions) {
  const { httpsPort, challenges, serve } = options
  return (request: IncomingMessage, response: ServerResponse): void => {
    const { host, problem } = readHost(request)
    if (problem) {
      refuse(response, problem)
      return
    }
    const path = pathOf(request.url ?? '/')
    if (path.startsWith(challengePath)) {
      void answerChallenge(challenges, path.slice(challengePath.length), response)
      return
    }
    if (serve(request, response)) return
    const name = host.replace(/:\d+$/, '')
    const port = httpsPort() === 443 ? '' : `:${httpsPort()}`
    response.writeHead(308, {
      Location: `https://${name}${port}${path}`,
      'Content-Length': '0',
      // A body that no one reads would be taken for the next request.
      ...(hasBody(request) && { Connection: 'close' }),
    })
    response.end()
  }
}

function readHost({ rawHeaders }: IncomingMessage): { host: string; problem?: Problem } {
  const hosts = rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === 'host')
  const [host = ''] = hosts
  if (hosts.length === 1 && hostForm.test(host)) return { host }
  return { host, problem: badRequest('Send exactly one Host header, with the name of the host.') }
}

function pathOf(url: string): string {
  if (url.startsWith('/')) return url
  const rest = /^https?:\/\/[^/?#]*([^#]*)/i.exec(url)?.[1] ?? ''
  return rest.startsWith('/') ? rest : `/${rest}`
}

async function answerChallenge(
  folder: string | null,
  token: string,
  response: ServerResponse,
): Promise<void> {
  const answer = folder !== null && tokenForm.test(token) ? await read(join(folder, token)) : null
  if (answer === null) {
    refuse(response, notFound('No challenge has this token.'))
    return
  }
  response.writeHead(200, {
    'Content-Type': 'application/octet-stream',
    'Content-Length': String(answer.length),
    'Cache-Control': 'no-store',
  })
  response.end(answer)
}

/** Null when there is no such file. */
async function read(file: string): Promise<Buffer | null> {
  try {
    return await readFile(file)
  } catch {
    return null
  }
}

function refuse(response: ServerResponse, problem: Problem): void {
  const { headers, body } = refusalParts(problem)
  response.writeHead(problem.status, headers).end(body)
}
