import { google } from 'googleapis'
import { startHttp } from '../servers/http'

/** Appends to a spreadsheet and lists files, with a token. */
export async function run() {
  const { url, asked, stop } = await startHttp(({ path }) =>
    path.includes('/spreadsheets/')
      ? { body: '{"updates":{"updatedRows":2}}' }
      : { body: '{"files":[{"id":"1","name":"January"}]}' },
  )
  const auth = new google.auth.OAuth2()
  auth.setCredentials({ access_token: 'token' })
  const sheets = google.sheets({ version: 'v4', auth, rootUrl: `${url}/` })
  const drive = google.drive({ version: 'v3', auth, rootUrl: `${url}/` })
  const { data } = await sheets.spreadsheets.values.append({
    spreadsheetId: 'sheet',
    range: 'A1',
    valueInputOption: 'RAW',
    requestBody: {
      values: [
        ['roof', 3.5],
        ['cellar', 11],
      ],
    },
  })
  const { data: listed } = await drive.files.list({ q: "name contains 'January'", pageSize: 10 })
  stop()
  return {
    rows: data.updates?.updatedRows,
    files: listed.files,
    asked: asked.map(({ method, path, headers }) => [method, path, headers.authorization]),
  }
}
