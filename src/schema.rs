//! Every table, grouped by room. One schema serves both databases; a test compares them.

// kernel
diesel::table! {
    journal (id) {
        id -> BigInt,
        at -> Timestamp,
        actor -> Text,
        topic -> Text,
        subject -> Text,
        body -> Text,
        position -> Nullable<BigInt>,
        hash -> Nullable<Text>,
    }
}
diesel::table! {
    leases (name) { name -> Text, until -> Timestamp, }
}
diesel::table! {
    cursors (name) { name -> Text, position -> BigInt, }
}
diesel::table! {
    kept_answers (caller, key_hash) {
        caller -> Text,
        key_hash -> Text,
        request -> Text,
        answer -> Text,
        at -> Timestamp,
    }
}

// accounts
diesel::table! {
    accounts (id) {
        id -> Text,
        email -> Text,
        name -> Text,
        password_hash -> Text,
        lang -> Text,
        email_verified_at -> Nullable<Timestamp>,
        totp_secret -> Nullable<Text>,
        totp_confirmed_at -> Nullable<Timestamp>,
        totp_last_step -> Nullable<BigInt>,
        platform_role -> Nullable<Text>,
        platform_region -> Nullable<Text>,
        version -> BigInt,
        created_at -> Timestamp,
    }
}
diesel::table! {
    organizations (id) {
        id -> Text,
        name -> Text,
        kind -> Text,
        uscc -> Text,
        region_code -> Text,
        state -> Text,
        reason -> Nullable<Text>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}
diesel::table! {
    memberships (account_id, organization_id) {
        account_id -> Text,
        organization_id -> Text,
        role -> Text,
        created_at -> Timestamp,
    }
}
diesel::table! {
    sessions (id) {
        id -> Text,
        account_id -> Text,
        second_factor -> Bool,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        revoked_at -> Nullable<Timestamp>,
    }
}
diesel::table! {
    refresh_tokens (digest) {
        digest -> Text,
        session_id -> Text,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        used_at -> Nullable<Timestamp>,
    }
}
diesel::table! {
    links (digest) {
        digest -> Text,
        account_id -> Text,
        purpose -> Text,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        used_at -> Nullable<Timestamp>,
    }
}
diesel::table! {
    api_keys (id) {
        id -> Text,
        organization_id -> Text,
        created_by -> Text,
        name -> Text,
        prefix -> Text,
        digest -> Text,
        created_at -> Timestamp,
        revoked_at -> Nullable<Timestamp>,
    }
}
diesel::table! {
    brokers (id) {
        id -> Text,
        account_id -> Text,
        organization_id -> Text,
        level -> Text,
        certificate_no -> Text,
        fields -> Text,
        region_codes -> Text,
        languages -> Text,
        state -> Text,
        version -> BigInt,
        created_at -> Timestamp,
    }
}
diesel::joinable!(memberships -> organizations (organization_id));
diesel::joinable!(memberships -> accounts (account_id));
diesel::joinable!(sessions -> accounts (account_id));
diesel::joinable!(api_keys -> organizations (organization_id));
diesel::joinable!(brokers -> organizations (organization_id));
diesel::joinable!(brokers -> accounts (account_id));
diesel::allow_tables_to_appear_in_same_query!(
    memberships,
    organizations,
    accounts,
    sessions,
    api_keys,
    brokers
);

// achievements
diesel::table! {
    achievements (id) {
        id -> Text,
        organization_id -> Text,
        created_by -> Text,
        state -> Text,
        title -> Text,
        #[sql_name = "abstract"]
        abstract_text -> Text,
        keywords -> Text,
        field -> Text,
        stage -> Text,
        trl -> BigInt,
        ip_kind -> Nullable<Text>,
        patents -> Text,
        transfer_modes -> Text,
        price_fen -> Nullable<BigInt>,
        price_negotiable -> Bool,
        region_code -> Text,
        industry -> Nullable<Text>,
        chain -> Nullable<Text>,
        details -> Nullable<Text>,
        reasons -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        published_at -> Nullable<Timestamp>,
        expires_on -> Nullable<Date>,
    }
}
diesel::table! {
    achievement_versions (achievement_id, version) {
        achievement_id -> Text,
        version -> BigInt,
        at -> Timestamp,
        account_id -> Text,
        changed -> Text,
        content -> Text,
    }
}

// demands
diesel::table! {
    demands (id) {
        id -> Text,
        organization_id -> Text,
        created_by -> Text,
        state -> Text,
        title -> Text,
        description -> Text,
        keywords -> Text,
        field -> Text,
        kind -> Text,
        cooperation_modes -> Text,
        indicators -> Text,
        budget_fen -> Nullable<BigInt>,
        budget_negotiable -> Bool,
        deadline -> Nullable<Date>,
        min_trl -> Nullable<BigInt>,
        region_code -> Text,
        industry -> Nullable<Text>,
        chain -> Nullable<Text>,
        visibility -> Text,
        broker_ids -> Text,
        reasons -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        published_at -> Nullable<Timestamp>,
    }
}
diesel::table! {
    demand_versions (demand_id, version) {
        demand_id -> Text,
        version -> BigInt,
        at -> Timestamp,
        account_id -> Text,
        changed -> Text,
        content -> Text,
    }
}


// notices
diesel::table! {
    mails (id) {
        id -> Text,
        to_address -> Text,
        to_name -> Text,
        lang -> Text,
        template -> Text,
        params -> Text,
        message_id -> Text,
        event_position -> BigInt,
        state -> Text,
        attempts -> BigInt,
        refusals -> BigInt,
        next_try_at -> Timestamp,
        lease_until -> Nullable<Timestamp>,
        last_error -> Nullable<Text>,
        created_at -> Timestamp,
        sent_at -> Nullable<Timestamp>,
    }
}

// notices
diesel::table! {
    mails (id) {
        id -> Text,
        to_address -> Text,
        to_name -> Text,
        lang -> Text,
        template -> Text,
        params -> Text,
        message_id -> Text,
        event_position -> BigInt,
        state -> Text,
        attempts -> BigInt,
        refusals -> BigInt,
        next_try_at -> Timestamp,
        lease_until -> Nullable<Timestamp>,
        last_error -> Nullable<Text>,
        created_at -> Timestamp,
        sent_at -> Nullable<Timestamp>,
    }
}
