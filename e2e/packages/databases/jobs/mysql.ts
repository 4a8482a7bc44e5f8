import type { Server } from 'node:net'
import mysql from 'mysql2'
import { createConnection } from 'mysql2/promise'
import { listening } from '../servers/listening'

const utf8 = 45
const text = 253

/** A client and the server that mysql2 brings, which understands one question. */
export async function run() {
  const server = mysql.createServer()
  // biome-ignore lint/suspicious/noExplicitAny: the types of mysql2 know nothing of servers.
  server.on('connection', (connection: any) => {
    connection.serverHandshake({
      protocolVersion: 10,
      serverVersion: '8.0.0',
      connectionId: 1,
      statusFlags: 2,
      characterSet: utf8,
      capabilityFlags: 0xffffff ^ 0x800,
    })
    connection.on('query', (sql: string) => {
      connection.sequenceId = 1
      const column = (name: string) => ({
        catalog: 'def',
        schema: 'test',
        table: 'readings',
        orgTable: 'readings',
        name,
        orgName: name,
        characterSet: utf8,
        columnLength: 255,
        columnType: text,
        flags: 0,
        decimals: 0,
      })
      connection.writeTextResult([{ place: 'roof', asked: sql }], [column('place'), column('asked')])
    })
    connection.on('error', () => {})
  })
  const port = await listening((server as unknown as { _server: Server })._server)
  const client = await createConnection({ host: '127.0.0.1', port, user: 'root', database: 'test' })
  const [rows] = await client.query('SELECT * FROM readings WHERE place = ? AND value > ?', ["o'hare", 3])
  client.destroy()
  server.close(() => {})
  return rows
}
