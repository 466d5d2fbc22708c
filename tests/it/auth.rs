//! Who is who: tokens and keys, good and bad.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use guerdon::app::auth::RoleClaim;
use guerdon::app::keys::KeyOrder;
use guerdon::clock::{Clock as _, SystemClock};
use guerdon::config::{JwksSource, JwtConfig, JwtKeys, Secret};
use guerdon::error::AppError;
use guerdon::http::token::{Tokens, sign};
use guerdon_domain::access::{Action, ActorKind, Resource, Role, RoleScope, authorize};
use guerdon_domain::date::Date;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::served::{Served, jwt, moment, token};

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

fn claims() -> Value {
    let now = SystemClock.now().timestamp();
    json!({"iss": "guerdon", "aud": "guerdon", "sub": "somebody", "exp": now + 300, "guerdon_roles": [{"role": "AUDITOR"}]})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn signed(header: &Header, claims: &Value) -> String {
    encode(header, claims, &EncodingKey::from_secret(SECRET)).unwrap()
}

fn hs256(claims: &Value) -> String {
    signed(&Header::new(Algorithm::HS256), claims)
}

#[tokio::test]
async fn only_a_right_token_is_somebody() {
    let tokens = Tokens::new(jwt()).await.unwrap();
    let now = SystemClock.now();
    let actor = tokens.actor(&hs256(&claims()), now).await.unwrap();
    assert_eq!((actor.person.as_str(), actor.kind), ("somebody", ActorKind::Person));
    assert!(tokens.actor(&hs256(&with("aud", json!(["other", "guerdon"]))), now).await.is_some());
    let stamp = now.timestamp();
    let mut bad = vec![
        ("no issuer", hs256(&without("iss"))),
        ("no audience", hs256(&without("aud"))),
        ("no subject", hs256(&without("sub"))),
        ("no end", hs256(&without("exp"))),
        ("other issuer", hs256(&with("iss", json!("other")))),
        ("other audience", hs256(&with("aud", json!("other")))),
        ("empty subject", hs256(&with("sub", json!("")))),
        ("not yet", hs256(&with("nbf", json!(stamp + 120)))),
        ("unknown role", hs256(&with("guerdon_roles", json!([{"role": "KING"}])))),
        ("the service's own role", hs256(&with("guerdon_roles", json!([{"role": "SYSTEM"}])))),
        ("partner role without partners", hs256(&with("guerdon_roles", json!([{"role": "PARTNER_ADMIN"}])))),
        ("roles of another shape", hs256(&with("guerdon_roles", json!({"role": "ADMIN"})))),
        ("another algorithm", signed(&Header::new(Algorithm::HS512), &claims())),
        ("another type", signed(&Header { typ: Some("dpop+jwt".to_owned()), ..Header::new(Algorithm::HS256) }, &claims())),
        ("critical extension", signed(&Header { crit: Some(vec!["x".to_owned()]), ..Header::new(Algorithm::HS256) }, &claims())),
        ("another secret", encode(&Header::new(Algorithm::HS256), &claims(), &EncodingKey::from_secret(b"another")).unwrap()),
        ("empty", String::new()),
        ("too long", hs256(&with("more", json!("x".repeat(9_000))))),
    ];
    let unsigned =
        |alg: &str| format!("{}.{}.", URL_SAFE_NO_PAD.encode(json!({"alg": alg, "typ": "JWT"}).to_string()), URL_SAFE_NO_PAD.encode(claims().to_string()));
    bad.extend([("none", unsigned("none")), ("NONE", unsigned("NONE")), ("no signature", unsigned("HS256"))]);
    for (why, token) in bad {
        assert!(tokens.actor(&token, now).await.is_none(), "{why}");
    }
}

#[tokio::test]
async fn clocks_may_differ_by_a_minute() {
    let tokens = Tokens::new(jwt()).await.unwrap();
    let issued = moment("2026-03-01T12:00:00Z");
    let token = sign(&jwt(), "p", "1", &[RoleClaim::new(Role::Auditor)], issued, Duration::from_secs(60)).unwrap();
    assert!(tokens.actor(&token, issued + TimeDelta::seconds(119)).await.is_some());
    assert!(tokens.actor(&token, issued + TimeDelta::seconds(121)).await.is_none());
}

const PRIVATE_KEY: &str = include_str!("golden/jwks/private.pem");

fn jwks_config(source: JwksSource) -> JwtConfig {
    JwtConfig { keys: JwtKeys::Jwks { source, algorithm: Algorithm::ES256 }, ..jwt() }
}

fn es256(kid: Option<&str>, claims: &Value) -> String {
    let header = Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::ES256) };
    encode(&header, claims, &EncodingKey::from_ec_pem(PRIVATE_KEY.as_bytes()).unwrap()).unwrap()
}

#[tokio::test]
async fn public_keys_come_from_the_configured_set_and_nowhere_else() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/golden/jwks/set.json");
    let tokens = Tokens::new(jwks_config(JwksSource::File(file.clone()))).await.unwrap();
    let now = SystemClock.now();
    assert!(tokens.actor(&es256(Some("one"), &claims()), now).await.is_some());
    assert!(tokens.actor(&es256(None, &claims()), now).await.is_some(), "the set has one usable key");
    for kid in ["two", "../one", "http://localhost/one", "one' OR '1'='1"] {
        assert!(tokens.actor(&es256(Some(kid), &claims()), now).await.is_none(), "{kid}");
    }
    // The public key as an HMAC secret, with the header saying so.
    let set = std::fs::read(&file).unwrap();
    for secret in [set.as_slice(), b"public", PRIVATE_KEY.as_bytes()] {
        let forged = encode(&Header { kid: Some("one".to_owned()), ..Header::new(Algorithm::HS256) }, &claims(), &EncodingKey::from_secret(secret)).unwrap();
        assert!(tokens.actor(&forged, now).await.is_none());
    }
    let error = Tokens::new(jwks_config(JwksSource::File("/nowhere/set.json".into()))).await.err();
    assert!(matches!(error, Some(AppError::Invalid(_))));
}

#[tokio::test]
async fn a_key_set_is_fetched_at_most_once_a_minute() {
    use std::sync::atomic::{AtomicU32, Ordering};
    let fetched = crate::served::shared(AtomicU32::new(0));
    let count = fetched.clone();
    let set = include_str!("golden/jwks/set.json");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let route = axum::routing::get(move || {
        count.fetch_add(1, Ordering::Relaxed);
        std::future::ready(set)
    });
    let source = tokio::spawn(async move { axum::serve(listener, axum::Router::new().route("/jwks", route)).await });
    let tokens = Tokens::new(jwks_config(JwksSource::Url(format!("http://{address}/jwks")))).await.unwrap();
    let now = SystemClock.now();
    for at in 0..50 {
        assert!(tokens.actor(&es256(Some(&format!("unknown-{at}")), &claims()), now).await.is_none());
    }
    assert_eq!(fetched.load(Ordering::Relaxed), 1);
    source.abort();
    assert!(tokens.actor(&es256(Some("one"), &claims()), now).await.is_some(), "the keys serve while their source is away");
}

#[tokio::test]
async fn a_credential_stands_once_and_in_its_header() {
    let served = Served::start().await;
    let good = token(Role::Auditor);
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let body = r#"{"query":"{ __typename }"}"#;
    let post = || client.post(served.url("/graphql")).header("content-type", "application/json").body(body);
    let status = async |request: reqwest::RequestBuilder| {
        let answer = served.send(request).await;
        if answer.status == 401 {
            assert_eq!((answer.codes(), answer.header("www-authenticate")), (vec!["UNAUTHENTICATED".to_owned()], "Bearer"));
        }
        answer.status
    };
    assert_eq!(status(post().bearer_auth(&good)).await, 200);
    assert_eq!(status(post()).await, 401);
    assert_eq!(status(post().basic_auth("a", Some("b"))).await, 401);
    assert_eq!(status(post().header("authorization", format!("Bearer {good}")).header("authorization", format!("Bearer {good}"))).await, 401);
    assert_eq!(status(post().header("authorization", "Bearer ")).await, 401);
    assert_eq!(status(client.post(served.url(&format!("/graphql?access_token={good}"))).header("content-type", "application/json").body(body)).await, 401);
}

fn order(expires_at: Option<chrono::DateTime<chrono::Utc>>) -> KeyOrder {
    KeyOrder { label: "portal".to_owned(), person: "portal".to_owned(), roles: vec![RoleClaim::new(Role::ContentService)], expires_at }
}

#[tokio::test]
async fn keys_are_kept_as_digests_end_and_are_revoked() {
    let served = Served::start().await;
    let (app, ctx) = (&served.app, served.app.system("test"));
    let now = SystemClock.now();
    let key = app.create_key(&ctx, &order(None)).await.unwrap();
    let actor = app.identify_key(&key, now).await.unwrap();
    assert_eq!((actor.person.as_str(), actor.kind), ("portal", ActorKind::Service));
    assert_eq!(served.query(&key, "{ __typename }").await.status, 200);
    let kept = app.list_keys(&ctx).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].last_used_on, Some(now.date_naive()));
    assert!(!format!("{kept:?}").contains(&key[21..50]));
    let short = app.create_key(&ctx, &order(Some(now + TimeDelta::seconds(5)))).await.unwrap();
    assert!(app.identify_key(&short, now).await.is_ok());
    assert!(matches!(app.identify_key(&short, now + TimeDelta::seconds(5)).await, Err(AppError::Unauthenticated)));
    app.revoke_key(&ctx, &actor.credential["key:".len()..]).await.unwrap();
    assert_eq!(served.query(&key, "{ __typename }").await.status, 401);
    assert!(matches!(app.revoke_key(&ctx, "0000000000000000").await, Err(AppError::NotFound)));
    let nobody = guerdon::app::Ctx::new(actor, "r", now);
    assert!(matches!(app.create_key(&nobody, &order(None)).await, Err(AppError::Forbidden)));
}

#[tokio::test]
async fn a_role_ends_on_its_date() {
    let mut claim = RoleClaim::new(Role::ChannelManager);
    claim.regions = vec!["EMEA".to_owned()];
    claim.until = Some("2026-06-01".parse::<Date>().unwrap());
    let tokens = Tokens::new(jwt()).await.unwrap();
    let now = SystemClock.now();
    let actor = tokens.actor(&sign(&jwt(), "p", "1", &[claim], now, Duration::from_secs(60)).unwrap(), now).await.unwrap();
    assert_eq!(actor.roles[0].scope, RoleScope::Regions(vec!["EMEA".to_owned()]));
    let may = |day: &str| authorize(&actor, (Action::Read, Resource::Partner), day.parse().unwrap()).is_ok();
    assert!(may("2026-05-31") && !may("2026-06-01"));
}

#[test]
fn without_the_secret_nobody_signs() {
    let config = jwks_config(JwksSource::File("x".into()));
    assert!(matches!(sign(&config, "p", "1", &[], SystemClock.now(), Duration::from_secs(1)), Err(AppError::Invalid(_))));
    assert!(!format!("{:?}", JwtConfig { keys: JwtKeys::Hs256(Secret::new("sesame")), ..jwt() }).contains("sesame"));
}
