// Starts GraphiQL with the published schema and a few examples. A token may stand in the address behind "#token=".
"use strict";

const examples = [
  {
    title: "Who am I",
    query: "# Put a token into the headers below, then press the play button.\nquery WhoAmI {\n  apiVersion\n}\n",
  },
];

function tokenFromAddress() {
  const match = /[#&]token=([^&]+)/.exec(window.location.hash);
  if (match) {
    history.replaceState(null, "", window.location.pathname);
    return decodeURIComponent(match[1]);
  }
  return "";
}

async function publishedSchema() {
  const answer = await fetch("/schema.graphql");
  return GraphiQL.GraphQL.buildSchema(await answer.text());
}

async function fetcher(request, options) {
  const answer = await fetch("/graphql", {
    method: "POST",
    headers: {
      accept: "application/graphql-response+json, application/json;q=0.9",
      "content-type": "application/json",
      ...(options && options.headers),
    },
    body: JSON.stringify(request),
  });
  return answer.json();
}

async function start() {
  const token = tokenFromAddress();
  const headers = JSON.stringify({ Authorization: "Bearer " + (token || "YOUR-TOKEN") }, null, 2);
  const root = ReactDOM.createRoot(document.getElementById("graphiql"));
  root.render(
    React.createElement(GraphiQL, {
      fetcher,
      schema: await publishedSchema(),
      defaultTabs: examples.map((example) => ({ ...example, headers })),
      defaultHeaders: headers,
      headers: token ? headers : undefined,
      isHeadersEditorEnabled: true,
      defaultEditorToolsVisibility: "headers",
      shouldPersistHeaders: false,
    }),
  );
}

start();
