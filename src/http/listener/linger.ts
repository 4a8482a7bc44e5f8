import type { IncomingMessage } from 'node:http'

/** A client that has read the answer closes the connection at once. */
const lingerMs = 5000

/**
 * Lets the client read the answer to a request when that ends the connection while the body is still arriving (RFC 9112, section 9.6).
 * Closing at once would reset the connection, and the client would get an error in place of the answer. So only our side is closed, and
 * what arrives is dropped. `lingering` is called when that begins: nothing that follows may be answered.
 */
export function lingerAfter(request: IncomingMessage, lingering: () => void): void {
  const { socket } = request
  // Node calls it after the last answer on a connection.
  socket.destroySoon = () => {
    // From here on it closes as usual.
    Reflect.deleteProperty(socket, 'destroySoon')
    if (request.complete || socket.destroyed) {
      socket.destroySoon()
      return
    }
    lingering()
    const timer = setTimeout(() => socket.destroy(), lingerMs)
    socket.once('close', () => clearTimeout(timer))
    request.once('end', () => socket.destroySoon())
    request.resume()
    socket.end()
  }
}
