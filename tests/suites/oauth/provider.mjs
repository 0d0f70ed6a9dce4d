// SPDX-License-Identifier: GPL-3.0-or-later
// node provider.mjs MODULES PORT LIFE: an OpenID provider (oidc-provider) on 127.0.0.1:PORT with a
// page to sign in and one to agree, whose access tokens live LIFE seconds.
//
// Tests steer it at /test: GET says what happened; POST /test/knobs sets how it behaves, POST
// /test/revoke ends every sign-in.
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const [modules, port, life] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(modules + "/oidc-provider/lib/index.js"));

const issuer = `http://127.0.0.1:${port}`;
const knobs = { refuse: null, times: 0, delay_ms: 0 };
const seen = { grants: {}, errors: {}, revocations: 0, at_once: 0, secrets: [], scopes: [] };
const grantIds = new Set();
let tokensUnderWay = 0;

const page = (title, body) => `<!DOCTYPE html><meta charset="utf-8"><title>${title}</title>${body}`;
const userOf = (id) => ({ accountId: id, claims: () => ({ sub: id, email: id + "@there.test" }) });

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "postroom", token_endpoint_auth_method: "none", application_type: "native",
      redirect_uris: ["http://127.0.0.1"], response_types: ["code"],
      grant_types: ["authorization_code", "refresh_token",
        "urn:ietf:params:oauth:grant-type:device_code"],
    },
    {
      client_id: "program", client_secret: "hush-hush-program",
      token_endpoint_auth_method: "client_secret_post", redirect_uris: [], response_types: [],
      grant_types: ["client_credentials"],
    },
    {
      client_id: "dovecot", client_secret: "hush-hush-dovecot", redirect_uris: [],
      response_types: [], grant_types: ["client_credentials"],
    },
  ],
  cookies: { keys: ["only for tests"] },
  scopes: ["openid", "offline_access", "email", "mail.send"],
  claims: { openid: ["sub"], email: ["email"] },
  conformIdTokenClaims: false,
  pkce: { required: () => true, methods: ["S256"] },
  rotateRefreshToken: true,
  // A device cannot ask for offline_access by prompt=consent, as a browser does.
  issueRefreshToken: (ctx, client) => client.grantTypeAllowed("refresh_token"),
  expiresWithSession: () => false,
  ttl: { AccessToken: Number(life), ClientCredentials: Number(life), RefreshToken: 86400,
    DeviceCode: 300, Grant: 86400, Interaction: 300, Session: 3600, IdToken: 300 },
  extraTokenClaims: (ctx, token) => ({ username: token.accountId || "alice" }),
  findAccount: (ctx, id) => userOf(id),
  interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    revocation: { enabled: true },
    deviceFlow: {
      enabled: true,
      userCodeInputSource: (ctx, form) => {
        ctx.body = page("Code", form + '<button form="op.deviceInputForm">Go on</button>');
      },
      userCodeConfirmSource: (ctx, form) => {
        ctx.body = page("Confirm", form +
          '<button form="op.deviceConfirmForm">Confirm</button>' +
          '<button form="op.deviceConfirmForm" name="abort" value="yes">Refuse</button>');
      },
      successSource: (ctx) => { ctx.body = page("Done", "You can go back to your device."); },
    },
  },
});

// What is secret of this run, so that a test can look for it where it must not be.
function note(secret) {
  if (typeof secret === "string" && secret.length > 12 && !seen.secrets.includes(secret)) {
    seen.secrets.push(secret);
  }
}

function count(table, name) { table[name] = (table[name] || 0) + 1; }

const keptSecret = ["access_token", "refresh_token", "device_code", "code", "code_verifier",
  "client_secret"];
provider.on("grant.success", (ctx) => {
  count(seen.grants, ctx.oidc.params.grant_type);
  for (const name of keptSecret) { note(ctx.oidc.params[name]); note(ctx.body[name]); }
});
provider.on("grant.error", (ctx, error) => {
  count(seen.errors, error.error);
  for (const name of keptSecret) { note(ctx.oidc?.params?.[name]); }
});
for (const name of ["access_token.saved", "refresh_token.saved", "authorization_code.saved"]) {
  provider.on(name, (token) => grantIds.add(token.grantId));
}
provider.on("server_error", (ctx, error) => console.error("server error", error));

async function revokeAll() {
  for (const id of grantIds) {
    await provider.AccessToken.revokeByGrantId(id);
    await provider.RefreshToken.revokeByGrantId(id);
    await (await provider.Grant.find(id))?.destroy();
  }
  grantIds.clear();
}

async function bodyOf(request) {
  let text = "";
  for await (const piece of request) { text += piece; }
  return text;
}

const form = (action, button) =>
  `<form method="post" action="${action}"><button>${button}</button></form>`;

async function interact(request, response, [uid, verb]) {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  const base = `/interaction/${uid}`;
  if (request.method === "GET") {
    response.setHeader("Content-Type", "text/html");
    response.end(prompt.name === "login"
      ? page("Sign in", `<form method="post" action="${base}/login"><input name="login">` +
        "<button>Sign in</button></form>")
      : page("Agree", form(base + "/agree", "Agree") + form(base + "/refuse", "Refuse")));
    return;
  }
  let result = { error: "access_denied", error_description: "The person refused" };
  if (verb === "login") {
    result = { login: { accountId: new URLSearchParams(await bodyOf(request)).get("login") } };
  } else if (verb === "agree") {
    const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
    grant.addOIDCScope(params.scope);
    seen.scopes.push(params.scope);
    result = { consent: { grantId: await grant.save() } };
  }
  await provider.interactionFinished(request, response, result, {
    mergeWithLastSubmission: verb !== "refuse",
  });
}

async function steer(request, response, verb) {
  if (verb === "knobs") { Object.assign(knobs, JSON.parse(await bodyOf(request))); }
  if (verb === "revoke") { await revokeAll(); }
  response.setHeader("Content-Type", "application/json");
  response.end(JSON.stringify(seen));
}

async function answerToken(request, response) {
  tokensUnderWay += 1;
  seen.at_once = Math.max(seen.at_once, tokensUnderWay);
  response.on("close", () => { tokensUnderWay -= 1; });
  await new Promise((resolve) => { setTimeout(resolve, knobs.delay_ms); });
  if (knobs.times > 0) {
    knobs.times -= 1;
    count(seen.errors, knobs.refuse);
    await bodyOf(request);
    response.writeHead(400, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ error: knobs.refuse }));
    return;
  }
  answer(request, response);
}

const answer = provider.callback();

createServer(async (request, response) => {
  const [, first, ...rest] = new URL(request.url, issuer).pathname.split("/");
  try {
    if (first === "test") {
      await steer(request, response, rest[0]);
    } else if (first === "interaction") {
      await interact(request, response, rest);
    } else if (first === "token" && rest.length === 0) {
      await answerToken(request, response);
    } else {
      if (first === "token" && rest[0] === "revocation") { seen.revocations += 1; }
      answer(request, response);
    }
  } catch (error) {
    console.error(request.method, request.url, error);
    response.writeHead(500);
    response.end(String(error));
  }
}).listen(Number(port), "127.0.0.1", () => console.log("ready"));
