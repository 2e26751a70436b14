// A client whose types are made of /openapi.json: it imports a table, asks for rows, lets a player
// earn, and prints what it was answered.  Arguments: the service's URL, a key.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

declare const process: { argv: string[] };
const [url, key] = process.argv.slice(2);
if (!url || !key)
    throw new Error("two arguments: the service's URL, a key");
// Of the forms that a list has, this client takes JSON.
const api = createClient<paths, "application/json" | "application/problem+json">({
    baseUrl: url, headers: { "X-API-Key": key },
    querySerializer: { object: { style: "form", explode: true } },
});

function taken<T>(answer: { data?: T; error?: components["schemas"]["problem"] }): T {
    if (answer.data === undefined)
        throw new Error(JSON.stringify(answer.error));
    return answer.data;
}

async function finished(id: string): Promise<components["schemas"]["job"]> {
    for (let i = 0; i < 300; i++) {
        const job = taken(await api.GET("/v1/jobs/{id}", { params: { path: { id } } }));
        if (job.finished_at)
            return job;
        await new Promise((wake) => setTimeout(wake, 50));
    }
    throw new Error(`the job ${id} does not end`);
}

const dataset = { dataset: "heroes" };
const queued = taken(await api.POST("/v1/datasets/{dataset}/imports", {
    params: { path: dataset, query: { key: "id", label: "typed" } },
    body: "id,name,power\n1,Ann,3\n2,Bob,8\n3,Cid,9\n",
    headers: { "Content-Type": "text/csv" },
    bodySerializer: (body) => body,
}));
const job = await finished(queued.id);
const rows = taken(await api.GET("/v1/datasets/{dataset}/rows", {
    params: { path: dataset, query: {
        filters: { power__gt: 2, name__startswith: "c" }, sort: "-power", limit: 2, fields: "id,name",
    } },
}));
const unknown = await api.GET("/v1/datasets/{dataset}", { params: { path: { dataset: "nothing" } } });

const login = taken(await api.POST("/v1/register", {
    body: { username: "typed", password: "correct horse battery" },
}));
const headers = { Authorization: `Bearer ${login.token}` };
const earned = taken(await api.POST("/v1/earn", {
    params: { header: { "Idempotency-Key": "typed-1" } }, headers,
    body: { amount: 50, reason: "level 3" },
}));
const balance = taken(await api.GET("/v1/balance", { headers }));

console.log(JSON.stringify({
    state: job.state, rows: rows.data, total: rows.meta.total, unknown: unknown.error?.code,
    earned: earned.balance, balance: balance.balance,
}));
