// DuckDB in its own process, by lines of JSON: {"sql"} in, {"ms", "rows"} or {"error"} out.
// The time is that of the query and of fetching its rows; the pipe is not in it.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

// node_modules lies in the folder it is started in, not beside this file.
const { DuckDBInstance } = createRequire(process.cwd() + "/")("@duckdb/node-api");
const connection = await (await DuckDBInstance.create(":memory:")).connect();

for await (const line of createInterface({ input: process.stdin })) {
    let answer;
    try {
        const began = performance.now();
        const reader = await connection.runAndReadAll(JSON.parse(line).sql);
        const rows = reader.getRows();
        answer = { ms: performance.now() - began, rows };
    } catch (error) {
        answer = { error: String(error) };
    }
    console.log(JSON.stringify(answer, (_, v) => (typeof v === "bigint" ? Number(v) : v)));
}
