import axios, { AxiosError } from 'axios'
import { startHttp } from '../servers/http'

/** JSON both ways, an interceptor, a form, and an error with its answer. */
export async function run() {
  const { url, asked, stop } = await startHttp(({ path, body }) =>
    path === '/gone' ? { status: 410, body: '{"error":"gone"}' } : { body: JSON.stringify({ got: body }) },
  )
  const client = axios.create({ baseURL: url, headers: { 'x-from': 'job' } })
  client.interceptors.request.use(config => {
    config.headers.set('x-attempt', '1')
    return config
  })
  const { data } = await client.post('/readings', { place: 'roof' }, { params: { day: '2026-01-31' } })
  const form = new FormData()
  form.set('file', new Blob(['a,b\n']), 'a.csv')
  await client.post('/upload', form)
  const error = await client.get('/gone').catch((error: AxiosError) => error)
  stop()
  const [first, second] = asked
  return {
    data,
    path: first?.path,
    headers: [first?.headers['x-from'], first?.headers['x-attempt']],
    isForm: second?.body.includes('filename="a.csv"'),
    error: error instanceof AxiosError && [error.code, error.response?.status, error.response?.data],
  }
}
