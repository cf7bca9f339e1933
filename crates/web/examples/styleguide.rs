//! Serves the style guide on loopback, to look at: `cargo run -p tb-web --example styleguide -- 8499`.

mod support;

use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "8499".to_owned());
    let site = tb_web::site(support::app().await?, &[tb_web::styleguide::module(), tb_web::kiosk::module()]);
    axum::serve(TcpListener::bind(format!("127.0.0.1:{port}")).await?, site).await?;
    Ok(())
}
