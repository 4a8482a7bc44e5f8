import type { AddressInfo, Server } from 'node:net'

/** Lets a server listen on loopback; answers with its port. */
export function listening(server: Server): Promise<number> {
  return new Promise(resolve => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}
