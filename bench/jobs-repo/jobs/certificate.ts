import { connect } from 'node:tls'

/** Fails two weeks before the shop's certificate ends. */
export async function run() {
  const socket = connect({ host: 'shop.test', port: 443, servername: 'shop.test' })
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
  const until = Date.parse(socket.getPeerCertificate().valid_to)
  socket.destroy()
  if (until - Date.now() < 14 * 24 * 60 * 60 * 1000) throw new Error('the certificate ends soon')
}
