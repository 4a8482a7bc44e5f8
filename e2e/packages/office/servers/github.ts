import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const released: Record<string, string[]> = {
  'example/tea': ['2.1.0', '2.0.0', '1.9.4'],
  'example/cake': ['0.3.0'],
  'example/bread': [],
}

/** Answers about releases as GitHub does, a page at a time. */
export async function startGitHub() {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', `http://${request.headers.host}`)
    const name = /^\/repos\/(.+)\/releases$/.exec(url.pathname)?.[1] ?? ''
    const versions = released[name]
    response.setHeader('content-type', 'application/json; charset=utf-8')
    if (!versions) return response.writeHead(404).end(JSON.stringify({ message: 'Not Found' }))
    const page = Number(url.searchParams.get('page') ?? 1)
    if (page < versions.length) {
      url.searchParams.set('page', String(page + 1))
      response.setHeader('link', `<${url}>; rel="next"`)
    }
    const found = versions.slice(page - 1, page)
    response.end(JSON.stringify(found.map(tag_name => ({ tag_name }))))
  })
  server.listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const stop = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, stop }
}
