// Starts GraphiQL with the published schema and a few examples. A token may stand in the address behind "#token=".
"use strict";

const examples = [
  {
    title: "A partner",
    query: `# Put a token into the headers below, then press the play button.
# Where does this partner stand, what is missing for the next tier, and what has it earned this quarter?
query Partner {
  viewer {
    person
    roles {
      role
      partners
      regions
    }
  }
  partner(by: { code: "175" }) {
    code
    name
    region
    tier {
      tier
      from
      cause
    }
    standing {
      asOf
      ladders {
        ladder
        qualified
        granted
        next {
          tier
        }
      }
    }
    rebateEstimate {
      period
      totals {
        amount
        currency
      }
    }
  }
}
`,
  },
  {
    title: "What it is entitled to",
    query: `# Every benefit: given or not, and what would unlock it.
query Entitlements {
  partner(by: { code: "175" }) {
    entitlements {
      benefit
      name
      kind
      status
      unmet {
        text
      }
    }
  }
}
`,
  },
  {
    title: "Partners",
    query: `# The partners that you may see, page by page: ask again with "after: <endCursor>".
query Partners {
  partners(first: 10) {
    nodes {
      code
      name
      region
      tier {
        tier
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`,
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
