import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import got, { HTTPError } from 'got'
import { startHttp } from '../servers/http'

/** A retry, a stream, and an error. */
export async function run() {
  let calls = 0
  const { url, stop } = await startHttp(({ path }) => {
    if (path === '/flaky' && ++calls < 3) return { status: 503, body: '{}' }
    if (path === '/missing') return { status: 404, body: '{}' }
    return { body: JSON.stringify({ calls }) }
  })
  const flaky = await got(`${url}/flaky`, { retry: { limit: 3, calculateDelay: () => 1 } }).json()
  const streamed = await buffer(got.stream(`${url}/stream`))
  const missing = await got(`${url}/missing`, { retry: { limit: 0 } }).catch((error: Error) => error)
  stop()
  return {
    flaky,
    streamed: gzipSync(streamed).length > 20,
    missing: missing instanceof HTTPError && missing.response.statusCode,
  }
}
