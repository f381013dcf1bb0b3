const longInteger = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

/** JSON whose integers past 15 digits come as strings: a JavaScript number would round them. */
export const parseExactly = (text) =>
  JSON.parse(text.replace(longInteger, (token) => (/^-?\d{16,}$/.test(token) ? `"${token}"` : token)))

/**
 * Runs a statement over Trino's REST protocol: `columns` with names and type signatures and `rows` of typed values, or
 * `error` with its name and message.
 */
export const askTrino = async ({ endpoint, catalog }, schema, sql) => {
  const headers = {
    'X-Trino-User': 'judge',
    'X-Trino-Catalog': catalog,
    'X-Trino-Schema': schema,
    'X-Trino-Time-Zone': 'UTC',
    // Without it timestamp(6) is told as timestamp.
    'X-Trino-Client-Capabilities': 'PARAMETRIC_DATETIME',
  }
  let columns
  const rows = []
  let request = fetch(`${endpoint}/v1/statement`, { method: 'POST', headers, body: sql })
  for (;;) {
    const response = await request
    const text = await response.text()
    if (response.status === 503) {
      request = fetch(response.url, { headers })
      continue
    }
    if (!response.ok) throw new Error(`Trino answered ${response.status}: ${text}`)
    const answer = parseExactly(text)
    if (answer.error !== undefined) {
      return { error: { name: answer.error.errorName, message: answer.error.message } }
    }
    columns ??= answer.columns
    rows.push(...(answer.data ?? []))
    if (answer.nextUri === undefined) return { columns, rows }
    request = fetch(answer.nextUri, { headers })
  }
}
