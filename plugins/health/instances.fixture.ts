import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import type { HealthObservation, ProvisionerService, WatchedInstance } from '../provisioner/contract.ts'

type Answering = (request: IncomingMessage, response: ServerResponse) => void

/** A server in an instance's place; `answer` may be replaced while it listens. */
export async function instanceServer(
  t: Pick<TestContext, 'after'>,
  answer: Answering,
): Promise<WatchedInstance & { answer: Answering; requests: IncomingMessage[]; close(): Promise<void> }> {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    place.answer(request, response)
  })
  const close = () =>
    new Promise<void>(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  t.after(close)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const place = { id: 'inst_1', subdomain: 'acme', host: '127.0.0.1', port, answer, requests, close }
  return place
}

/** Answers as an instance does: with its id in a header, and in a health document. */
export function health(
  status: number,
  document: Record<string, unknown> = {},
  { as = 'inst_1' }: { as?: string } = {},
): Answering {
  return (_, response) => {
    response.writeHead(status, { 'Content-Type': 'application/json', 'Longhouse-Instance': as })
    response.end(JSON.stringify({ instance_id: as, ...document }))
  }
}

/** A provisioner that knows these instances, and keeps what was seen of them. */
export function watching(...instances: WatchedInstance[]) {
  const seen: { id: string; observation: HealthObservation }[] = []
  const provisioner: Pick<ProvisionerService, 'watched' | 'watchedOne' | 'recordHealth'> = {
    watched: () => [...instances],
    watchedOne: id => instances.find(each => each.id === id) ?? null,
    recordHealth: (id, observation) => void seen.push({ id, observation }),
  }
  return { instances, provisioner, seen }
}
